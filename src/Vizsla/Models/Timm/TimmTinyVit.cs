using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width, N = H W tokens, M windows of a picture, A tokens of a window, h heads, K width of a head.

/// <summary>timm's TinyViT: convolutions first, then attention within windows.</summary>
/// <remarks>Source: timm <c>TinyVit</c>. Parity: 1e-4.</remarks>
internal sealed class TimmTinyVitNetwork : TimmNetwork
{
    private const double OwnDropPath = 0.1;
    private const double NormEpsilon = 1e-5;
    private static readonly TimmStyle _style = new("gelu");

    private readonly List<Func<Tensor, Tensor>> _stem = [];
    private readonly List<(List<Func<Tensor, Tensor>> Shrinking, List<TimmTinyVitBlock> Blocks)> _stages = [];
    private readonly List<TimmTinyVitConvolutions> _first = [];
    private readonly PlaneNormalization _norm;
    private readonly TimmPooling _pooling;

    public TimmTinyVitNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments, OwnDropPath)
    {
        _pooling = TimmPooling.OfOneWidth(Options);
        var (widths, depths) = (arguments.WholeNumbers("embed_dims", 96, 192, 384, 768), arguments.WholeNumbers("depths", 2, 2, 6, 2));
        var (heads, windows) = (arguments.WholeNumbers("num_heads", 3, 6, 12, 24), arguments.WholeNumbers("window_sizes", 7, 7, 14, 7));
        _stem.Add(Unit("patch_embed.conv1", Options.Channels, widths[0] / 2, 3, 2));
        _stem.Add(Unit("patch_embed.conv2", widths[0] / 2, widths[0], 3, 2, isActivated: false));
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, depths.Sum()));
        for (var i = 0; i < depths[0]; i++)
        {
            _first.Add(Add($"stages.0.blocks.{i}", new TimmTinyVitConvolutions(widths[0], rates.Dequeue())));
        }

        for (var stage = 1; stage < depths.Count; stage++)
        {
            var (inputs, outputs) = (widths[stage - 1], widths[stage]);
            List<Func<Tensor, Tensor>> shrinking =
            [
                Unit($"stages.{stage}.downsample.conv1", inputs, outputs, 1),
                Unit($"stages.{stage}.downsample.conv2", outputs, outputs, 3, 2, outputs),
                Unit($"stages.{stage}.downsample.conv3", outputs, outputs, 1, isActivated: false),
            ];
            var blocks = new List<TimmTinyVitBlock>();
            for (var i = 0; i < depths[stage]; i++)
            {
                blocks.Add(Add($"stages.{stage}.blocks.{i}", new TimmTinyVitBlock(outputs, heads[stage], windows[stage], rates.Dequeue())));
            }

            _stages.Add((shrinking, blocks));
        }

        _norm = Add("head.norm", new PlaneNormalization(widths[^1], NormEpsilon));
        Classifier = Add(HeadName, new Dense(widths[^1], Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = Through(Arranged(pixels), _stem, (unit, plane) => unit(plane));                 // [B, C, H / 4, W / 4]
        x = Through(_first, x);
        trace?.AddHiddenState(x);
        foreach (var (shrinking, blocks) in _stages)
        {
            x = Through(x, shrinking, (unit, plane) => unit(plane));                            // [B, C', H / 2, W / 2]
            var (rows, columns) = (x.shape[2], x.shape[3]);
            var tokens = Through(x.Flatten(2).Transpose(1, 2), blocks, (block, t) => block.Forward(t, (rows, columns), trace)); // [B, N, C']
            x = tokens.Transpose(1, 2).Unflatten(2, rows, columns);
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return _norm.Forward(_pooling.Apply(x).Unsqueeze(-1).Unsqueeze(-1)).Flatten(1).MoveToOuterDisposeScope();   // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        const double Deviation = 0.02;
        if (layer is Dense dense)
        {
            WeightInitialization.TruncatedNormal(dense.Weight, Deviation);
            WeightInitialization.Fill(dense.Bias, 0);
        }
    }

    private Func<Tensor, Tensor> Unit(string name, int inputs, int outputs, int kernel, int stride = 1, int groups = 1, bool isActivated = true) =>
        _style.Unit(this, (name + ".conv", name + ".bn"), inputs, outputs, _style.Convolution(kernel, stride, groups), isActivated).Forward;
}

/// <summary>A block of the first stage: wide, depthwise and narrow convolutions beside a shortcut.</summary>
/// <remarks>Source: timm <c>tiny_vit.MBConv</c>. Parity: 1e-5.</remarks>
internal sealed class TimmTinyVitConvolutions : TensorLayer
{
    private const int Widening = 4;
    private static readonly TimmStyle _style = new("gelu");

    private readonly TimmUnit _widen;
    private readonly TimmUnit _depthwise;
    private readonly TimmUnit _narrow;
    private readonly double _dropPath;

    public TimmTinyVitConvolutions(int channels, double dropPath)
        : base(nameof(TimmTinyVitConvolutions))
    {
        _dropPath = dropPath;
        var inner = Widening * channels;
        _widen = _style.Unit(this, ("conv1.conv", "conv1.bn"), channels, inner, _style.Convolution(1));
        _depthwise = _style.Unit(this, ("conv2.conv", "conv2.bn"), inner, inner, _style.Convolution(3, 1, inner));
        _narrow = _style.Unit(this, ("conv3.conv", "conv3.bn"), inner, channels, _style.Convolution(1), isActivated: false);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _narrow.Forward(_depthwise.Forward(_widen.Forward(input)));
        return StochasticDepth.Apply(x, _dropPath, training).Plus(input).Gelu().MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_narrow.Norm.get_parameter("weight"), 0);
}

/// <summary>Attention within windows with a bias for each distance, a depthwise convolution, then a perceptron.</summary>
/// <remarks>Source: timm <c>TinyVitBlock</c>, <c>tiny_vit.Attention</c>, <c>NormMlp</c>. Parity: 1e-5.</remarks>
internal sealed class TimmTinyVitBlock : Layer
{
    private const double Epsilon = 1e-5;
    private const int Widening = 4;
    private static readonly TimmStyle _style = new("gelu");

    private readonly ParameterSlot _biases;
    private readonly LayerNormalization _attentionNorm;
    private readonly Dense _joined;
    private readonly Dense _mixed;
    private readonly LayerNormalization _perceptronNorm;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly TimmUnit _local;
    private readonly int _heads;
    private readonly int _side;
    private readonly double _dropPath;

    /// <param name="width">Width C of the tokens.</param>
    /// <param name="heads">Heads h of the attention.</param>
    /// <param name="side">Side of the windows.</param>
    /// <param name="dropPath">Share of the pictures for which a branch is left out, in training.</param>
    public TimmTinyVitBlock(int width, int heads, int side, double dropPath)
        : base(nameof(TimmTinyVitBlock))
    {
        OptionChecks.Heads(width, heads);
        (_heads, _side, _dropPath) = (heads, side, dropPath);
        _biases = AddParameter("attn.attention_biases", heads, side * side);
        _attentionNorm = Add("attn.norm", new LayerNormalization(width, Epsilon));
        _joined = Add("attn.qkv", new Dense(width, 3 * width));
        _mixed = Add("attn.proj", new Dense(width, width));
        _perceptronNorm = Add("mlp.norm", new LayerNormalization(width, Epsilon));
        _widen = Add("mlp.fc1", new Dense(width, Widening * width));
        _narrow = Add("mlp.fc2", new Dense(Widening * width, width));
        _local = _style.Unit(this, ("local_conv.conv", "local_conv.bn"), width, width, _style.Convolution(3, 1, width), isActivated: false);
    }

    /// <param name="tokens">Float [B, N, C].</param>
    /// <param name="plane">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the attention of the windows; null keeps none.</param>
    /// <returns>Float [B, N, C]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) plane, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var mixed = Windows.Apply(tokens, plane, _side, 0, (windows, _) => Attend(windows, trace));
        var x = tokens.Plus(StochasticDepth.Apply(mixed, _dropPath, training));                 // [B, N, C]
        x = _local.Forward(x.Transpose(1, 2).Unflatten(2, plane.Rows, plane.Columns)).Flatten(2).Transpose(1, 2);
        var made = _narrow.Forward(_widen.Forward(_perceptronNorm.Forward(x)).Gelu());
        return x.Plus(StochasticDepth.Apply(made, _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_biases.Value, 0);

    private Tensor Attend(Tensor windows, NetworkTrace? trace)
    {
        var parts = _joined.Forward(_attentionNorm.Forward(windows)).Unflatten(2, _heads, -1).Chunk(3, -1);      // 3 x [B M, A, h, K]
        return _mixed.Forward(Attention.Mix(
            parts[0].Flatten(2), parts[1].Flatten(2), parts[2].Flatten(2), _heads, TimmDistances.Bias(_biases.Value, (_side, _side), 1), trace: trace));
    }
}

/// <summary>A learned bias of attention for how far two places lie apart, down and across, whatever the direction.</summary>
/// <remarks>Source: timm <c>attention_biases</c> of <c>levit.py</c> and <c>tiny_vit.py</c>. Parity: exact.</remarks>
internal static class TimmDistances
{
    /// <summary>The bias of each pair.</summary>
    /// <param name="biases">Float [h, N], for each distance down and across.</param>
    /// <param name="plane">Rows and columns of the places.</param>
    /// <param name="step">Which places ask: every one of this number in each direction.</param>
    /// <returns>Float [1, h, places that ask, N] in the caller's scope.</returns>
    public static Tensor Bias(Tensor biases, (int Rows, int Columns) plane, int step)
    {
        var (rows, columns) = plane;
        var across = (columns + step - 1) / step;
        var (asking, places) = ((rows + step - 1) / step * across, rows * columns);
        var index = new long[asking * places];
        for (var i = 0; i < index.Length; i++)
        {
            var (from, to) = (i / places, i % places);
            index[i] = Math.Abs(from / across * step - to / columns) * columns + Math.Abs(from % across * step - to % columns);
        }

        return biases.Gather(1, TensorShapes.Constant(index, biases.device)).Unflatten(1, asking, places).Unsqueeze(0);
    }
}
