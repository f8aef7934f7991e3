using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's ConvNeXt and ConvNeXt V2.</summary>
/// <remarks>Source: timm <c>ConvNeXt</c>. Parity: 1e-4.</remarks>
internal sealed class TimmConvNeXtNetwork : TimmNetwork
{
    private readonly List<Func<Tensor, Tensor>> _stem = [];
    private readonly List<List<TensorLayer>> _stages = [];
    private readonly TensorLayer _norm;
    private readonly TensorLayer? _hidden;
    private readonly bool _normsFirst;
    private readonly TimmPooling _pooling;

    public TimmConvNeXtNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = TimmPooling.OfOneWidth(Options);
        var shape = TimmConvNeXtShape.From(arguments);
        var (depths, widths) = (arguments.WholeNumbers("depths", 3, 3, 9, 3), arguments.WholeNumbers("dims", 96, 192, 384, 768));
        var kernels = arguments.WholeNumbers("kernel_sizes", 7, 7, 7, 7);
        AddStem(arguments, shape, widths[0]);
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, depths.Sum()));
        for (var stage = 0; stage < depths.Count; stage++)
        {
            var layers = new List<TensorLayer>();
            var inputs = widths[Math.Max(0, stage - 1)];
            if (stage > 0 || inputs != widths[0])
            {
                layers.Add(Add($"stages.{stage}.downsample.0", shape.MakeNorm(inputs, areTokens: false)));
                layers.Add(Add($"stages.{stage}.downsample.1", new Convolution(inputs, widths[stage], new ConvolutionOptions(2) { Stride = (2, 2), HasBias = shape.HasBias })));
            }

            for (var i = 0; i < depths[stage]; i++)
            {
                layers.Add(Add($"stages.{stage}.blocks.{i}", new TimmConvNeXtBlock(shape, widths[stage], kernels[stage], rates.Dequeue())));
            }

            _stages.Add(layers);
        }

        _normsFirst = arguments.Flag("head_norm_first", false);
        _norm = Add(_normsFirst ? "norm_pre" : "head.norm", shape.MakeNorm(widths[^1], areTokens: false));
        var hidden = arguments.WholeNumberOrNull("head_hidden_size");
        _hidden = hidden is { } size ? Add("head.pre_logits.fc", new Dense(widths[^1], size)) : null;
        Classifier = Add(HeadName, new Dense(hidden ?? widths[^1], Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = Arranged(pixels);
        foreach (var layer in _stem)
        {
            x = layer(x);                                                                       // [B, C, H / 4, W / 4] at the end
        }

        foreach (var stage in _stages)
        {
            x = Through(stage, x);
            trace?.AddHiddenState(x);
        }

        var plane = _normsFirst ? _norm.Forward(x) : x;                                         // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        var pooled = _pooling.Apply(plane);                                                     // [B, C]
        if (!_normsFirst)
        {
            pooled = _norm.Forward(pooled.Unsqueeze(-1).Unsqueeze(-1)).Flatten(1);
        }

        return (_hidden is null ? pooled : _hidden.Forward(pooled).Gelu()).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer)
    {
        const double Deviation = 0.02;
        if (layer is IWeighted weighted)
        {
            WeightInitialization.TruncatedNormal(weighted.Weight, Deviation);
            WeightInitialization.Fill(weighted.Bias, 0);
        }
    }

    private void AddStem(ModelConfiguration arguments, TimmConvNeXtShape shape, int width)
    {
        var kind = arguments.Text("stem_type", "patch");
        if (kind == "patch")
        {
            var side = arguments.WholeNumber("patch_size", 4);
            _stem.Add(Add("stem.0", new Convolution(Options.Channels, width, new ConvolutionOptions(side) { Stride = (side, side), HasBias = shape.HasBias })).Forward);
            _stem.Add(Add("stem.1", shape.MakeNorm(width, areTokens: false)).Forward);
            return;
        }

        var first = kind.Contains("tiered", StringComparison.Ordinal) ? TimmRounding.ToMultiple(width / 2) : width;
        var options = new ConvolutionOptions(3) { Stride = (2, 2), Padding = (1, 1), HasBias = shape.HasBias };
        var place = 0;
        _stem.Add(Add($"stem.{place++}", new Convolution(Options.Channels, first, options)).Forward);
        if (kind.Contains("act", StringComparison.Ordinal))
        {
            _stem.Add(shape.Function);
            place++;
        }

        _stem.Add(Add($"stem.{place++}", new Convolution(first, width, options)).Forward);
        _stem.Add(Add($"stem.{place}", shape.MakeNorm(width, areTokens: false)).Forward);
    }
}

/// <summary>What all blocks of a ConvNeXt share.</summary>
/// <param name="Norm">Name of the norm.</param>
/// <param name="Epsilon">Epsilon of the norms.</param>
/// <param name="Function">The activation.</param>
/// <param name="IsConvolutional">Whether the perceptron's layers are convolutions of single places.</param>
/// <param name="HasBias">Whether convolutions outside the perceptron have a bias.</param>
/// <param name="HasResponseNorm">Whether the perceptron holds a global response norm, as in V2.</param>
/// <param name="LayerScale">Start of the factor of each channel; null where there is none.</param>
internal sealed record TimmConvNeXtShape(
    string Norm, double Epsilon, Func<Tensor, Tensor> Function, bool IsConvolutional, bool HasBias, bool HasResponseNorm, double? LayerScale)
{
    private const double DefaultEpsilon = 1e-6;
    private const double DefaultLayerScale = 1e-6;

    public static TimmConvNeXtShape From(ModelConfiguration arguments) => new(
        arguments.Text("norm_layer", "layernorm"),
        arguments.Number("norm_eps", DefaultEpsilon),
        TimmStyle.FunctionOf(arguments.Text("act_layer", "gelu")),
        arguments.Flag("conv_mlp", false),
        arguments.Flag("conv_bias", true),
        arguments.Flag("use_grn", false),
        arguments.Json.ContainsKey("ls_init_value") && arguments.Json["ls_init_value"] is null ? null : arguments.Number("ls_init_value", DefaultLayerScale));

    /// <summary>A norm for planes, or for places whose channels are the last axis.</summary>
    public TensorLayer MakeNorm(int channels, bool areTokens) => Norm switch
    {
        "layernorm" => areTokens ? new LayerNormalization(channels, Epsilon) : new PlaneNormalization(channels, Epsilon),
        "simplenorm" => new RmsNormalization(channels, Epsilon, areTokens) { IsOfVariance = true },
        "rmsnorm2d" or "rmsnorm" => new RmsNormalization(channels, Epsilon, areTokens),
        _ => TimmStyle.MakeNorm(Norm, channels),
    };
}

/// <summary>One block: a wide depthwise convolution, a norm and a perceptron beside a shortcut.</summary>
/// <remarks>Source: timm <c>ConvNeXtBlock</c>. Parity: 1e-5.</remarks>
internal sealed class TimmConvNeXtBlock : TensorLayer
{
    private const int Widening = 4;

    private readonly TimmConvNeXtShape _shape;
    private readonly ParameterSlot? _scale;
    private readonly Convolution _depthwise;
    private readonly TensorLayer _norm;
    private readonly TensorLayer _widen;
    private readonly TimmResponseNorm? _response;
    private readonly TensorLayer _narrow;
    private readonly double _dropPath;

    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="width">Channels.</param>
    /// <param name="kernel">Side of the depthwise kernel.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public TimmConvNeXtBlock(TimmConvNeXtShape shape, int width, int kernel, double dropPath)
        : base(nameof(TimmConvNeXtBlock))
    {
        (_shape, _dropPath) = (shape, dropPath);
        _scale = shape.LayerScale is null ? null : AddParameter("gamma", width);
        _depthwise = Add("conv_dw", new Convolution(width, width, new ConvolutionOptions(kernel) { Padding = (kernel / 2, kernel / 2), Groups = width, HasBias = shape.HasBias }));
        _norm = Add("norm", shape.MakeNorm(width, areTokens: !shape.IsConvolutional));
        _widen = Add("mlp.fc1", MakeLinear(width, Widening * width));
        _response = shape.HasResponseNorm ? Add("mlp.grn", new TimmResponseNorm(Widening * width, areTokens: !shape.IsConvolutional)) : null;
        _narrow = Add("mlp.fc2", MakeLinear(Widening * width, width));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _depthwise.Forward(input);
        x = _norm.Forward(_shape.IsConvolutional ? x : x.Permute(0, 2, 3, 1));
        x = _shape.Function(_widen.Forward(x));
        x = _narrow.Forward(_response?.Forward(x) ?? x);
        x = _shape.IsConvolutional ? x : x.Permute(0, 3, 1, 2);
        x = _scale is { } scale ? x.Times(scale.Value.Reshape(1, -1, 1, 1)) : x;
        return StochasticDepth.Apply(x, _dropPath, training).Plus(input).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        if (_scale is { } scale)
        {
            WeightInitialization.Fill(scale.Value, _shape.LayerScale!.Value);
        }
    }

    private TensorLayer MakeLinear(int inputs, int outputs) =>
        _shape.IsConvolutional ? new Convolution(inputs, outputs, new ConvolutionOptions(1)) : new Dense(inputs, outputs);
}

/// <summary>Weighs channels by how strongly each answers, compared with the others.</summary>
/// <remarks>Source: timm <c>GlobalResponseNorm</c>. Parity: 1e-5.</remarks>
internal sealed class TimmResponseNorm : TensorLayer
{
    private const double Epsilon = 1e-6;
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly bool _areTokens;

    /// <param name="channels">Channels.</param>
    /// <param name="areTokens">Whether they are the last axis, not the second.</param>
    public TimmResponseNorm(int channels, bool areTokens)
        : base(nameof(TimmResponseNorm))
    {
        _areTokens = areTokens;
        _weight = AddParameter("weight", channels);
        _bias = AddParameter("bias", channels);
        ResetParameters();
    }

    /// <param name="input">Float [B, C, H, W] or [B, H, W, C].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var strength = input.Norm(_areTokens ? [1, 2] : [2, 3], keepsAxes: true);
        var share = strength.Over(strength.Mean([_areTokens ? -1 : 1], keepsAxes: true).Plus(Epsilon));
        var (weight, bias) = _areTokens ? (_weight.Value, _bias.Value) : (_weight.Value.Reshape(1, -1, 1, 1), _bias.Value.Reshape(1, -1, 1, 1));
        return input.Times(share).Times(weight).Plus(bias).Plus(input).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_weight.Value, 0);
        WeightInitialization.Fill(_bias.Value, 0);
    }
}
