using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, N patches, D width.

/// <summary>timm's MLP-Mixer, gMixer and ResMLP: perceptrons over the patches and over the width, without attention.</summary>
/// <remarks>Source: timm <c>MlpMixer</c>. Parity: 1e-4.</remarks>
internal sealed class TimmMixerNetwork : TimmNetwork
{
    private readonly int _side;
    private readonly Convolution _patches;
    private readonly List<TimmMixerBlock> _blocks = [];
    private readonly TensorLayer _norm;

    public TimmMixerNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        if (Options.Pooling is not (null or "avg"))
        {
            throw new ModelLoadException($"The global_pool '{Options.Pooling}' is not supported by {Options.Architecture}, which takes 'avg'.");
        }

        _side = arguments.WholeNumber("patch_size", 16);
        OptionChecks.Patches(Options.ImageSize, (_side, _side));
        var width = arguments.WholeNumber("embed_dim", 512);
        _patches = Add("stem.proj", new Convolution(Options.Channels, width, new ConvolutionOptions(_side) { Stride = (_side, _side) }));
        var count = Options.ImageSize.Height / _side * (Options.ImageSize.Width / _side);
        var depth = arguments.WholeNumber("num_blocks", 8);
        for (var i = 0; i < depth; i++)
        {
            // timm leaves the same share out of each block.
            _blocks.Add(Add($"blocks.{i}", new TimmMixerBlock(arguments, width, count, Options.DropPath)));
        }

        _norm = Add("norm", TimmMixerBlock.MakeNorm(arguments, width));
        Classifier = Add(HeadName, new Dense(width, Options.ClassCount));
    }

    protected override string HeadName => "head";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        if ((pixels.shape[2], pixels.shape[3]) != Options.ImageSize)
        {
            throw new ArgumentException(
                $"Input image size ({pixels.shape[2]}*{pixels.shape[3]}) doesn't match model ({Options.ImageSize.Height}*{Options.ImageSize.Width}).", nameof(pixels));
        }

        using var scope = NewDisposeScope();
        var x = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                            // [B, N, D]
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens), trace);
        x = _norm.Forward(x);
        trace?.KeepPlane(x, (pixels.shape[2] / _side, pixels.shape[3] / _side));
        return x.Mean([1]).MoveToOuterDisposeScope();                                           // [B, D]
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer == Classifier)
        {
            WeightInitialization.Fill(((Dense)layer).Weight, 0);
            WeightInitialization.Fill(((Dense)layer).Bias, 0);
        }
    }
}

/// <summary>One block: what mixes the patches, then what mixes the width, each beside a shortcut.</summary>
/// <remarks>Source: timm <c>MixerBlock</c>, <c>ResBlock</c>. Parity: 1e-5.</remarks>
internal sealed class TimmMixerBlock : TensorLayer
{
    private const double DefaultScale = 1e-4;
    private readonly ParameterSlot? _firstScale;
    private readonly ParameterSlot? _secondScale;
    private readonly double _start;
    private readonly TensorLayer _firstNorm;
    private readonly TensorLayer _patches;
    private readonly TensorLayer _secondNorm;
    private readonly TensorLayer _channels;
    private readonly double _dropPath;

    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="width">Width of the tokens.</param>
    /// <param name="count">Number of patches.</param>
    /// <param name="dropPath">Share of the pictures for which a branch is left out, in training.</param>
    public TimmMixerBlock(ModelConfiguration arguments, int width, int count, double dropPath)
        : base(nameof(TimmMixerBlock))
    {
        _dropPath = dropPath;
        var kind = TimmSpec.Parse(arguments.Text("block_layer", "MixerBlock"));
        var (activation, isGated) = (arguments.Text("act_layer", "gelu"), arguments.Text("mlp_layer", "Mlp") == "GluMlp");
        var ratio = arguments.Json["mlp_ratio"];
        var (ofPatches, ofChannels) = ratio switch
        {
            null => (0.5, 4.0),
            JsonArray both => ((double)both[0]!, (double)both[1]!),
            _ => ((double)ratio, (double)ratio),
        };
        if (kind.Name == "ResBlock")
        {
            _start = kind.Number("init_values", DefaultScale);
            _firstScale = AddParameter("ls1", width);
            _secondScale = AddParameter("ls2", width);
        }

        _firstNorm = Add("norm1", MakeNorm(arguments, width));
        _patches = _firstScale is null
            ? Add("mlp_tokens", new TimmPerceptron(count, (int)(ofPatches * width), activation, isGated, gatesLast: true))
            : Add("linear_tokens", new Dense(count, count));
        _secondNorm = Add("norm2", MakeNorm(arguments, width));
        _channels = Add("mlp_channels", new TimmPerceptron(width, (int)(ofChannels * width), activation, isGated, gatesLast: true));
    }

    /// <summary>The network's norm of tokens.</summary>
    public static TensorLayer MakeNorm(ModelConfiguration arguments, int width) => arguments.TextOrNull("norm_layer") switch
    {
        "Affine" => new TimmTokenAffine(width),
        var norm => TimmStyle.MakeNorm(norm ?? "LayerNorm(eps=1e-06)", width),
    };

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var mixed = _patches.Forward(_firstNorm.Forward(input).Transpose(1, 2)).Transpose(1, 2);
        var x = input.Plus(StochasticDepth.Apply(Scaled(mixed, _firstScale), _dropPath, training));
        var inner = _channels.Forward(_secondNorm.Forward(x));
        return x.Plus(StochasticDepth.Apply(Scaled(inner, _secondScale), _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_firstScale?.Value, _start);
        WeightInitialization.Fill(_secondScale?.Value, _start);
    }

    private static Tensor Scaled(Tensor x, ParameterSlot? scale) => scale is { } factor ? x.Times(factor.Value) : x;
}

/// <summary>A learned factor and shift of each channel in the place of a norm.</summary>
/// <remarks>Source: timm <c>Affine</c> of <c>mlp_mixer.py</c>. Parity: exact.</remarks>
internal sealed class TimmTokenAffine : TensorLayer
{
    private readonly ParameterSlot _factor;
    private readonly ParameterSlot _shift;

    public TimmTokenAffine(int width)
        : base(nameof(TimmTokenAffine))
    {
        _factor = AddParameter("alpha", 1, 1, width);
        _shift = AddParameter("beta", 1, 1, width);
        ResetParameters();
    }

    /// <param name="input">Float [B, N, D].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return input.Times(_factor.Value).Plus(_shift.Value).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_factor.Value, 1);
        WeightInitialization.Fill(_shift.Value, 0);
    }
}
