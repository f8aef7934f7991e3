using TorchSharp;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's GhostNet and GhostNet V2: half of the channels are computed, the others made of them cheaply.</summary>
/// <remarks>Source: timm <c>GhostNet</c>. Parity: 1e-4.</remarks>
internal sealed class TimmGhostNetNetwork : TimmNetwork
{
    private const int StemWidth = 16;
    private const int HiddenWidth = 1280;
    private const int Divisor = 4;

    // Kernel, channels inside, channels, share of the squeeze, stride of each block, stage by stage.
    private static readonly (int Kernel, int Inner, int Outputs, double Squeeze, int Stride)[][] _stages =
    [
        [(3, 16, 16, 0, 1)],
        [(3, 48, 24, 0, 2)],
        [(3, 72, 24, 0, 1)],
        [(5, 72, 40, 0.25, 2)],
        [(5, 120, 40, 0.25, 1)],
        [(3, 240, 80, 0, 2)],
        [(3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 0.25, 1), (3, 672, 112, 0.25, 1)],
        [(5, 672, 160, 0.25, 2)],
        [(5, 960, 160, 0, 1), (5, 960, 160, 0.25, 1), (5, 960, 160, 0, 1), (5, 960, 160, 0.25, 1)],
    ];

    private readonly TimmUnit _stem;
    private readonly List<TimmGhostBlock> _blocks = [];
    private readonly TimmUnit _last;
    private readonly Convolution _hidden;
    private readonly TimmPooling _pooling;

    public TimmGhostNetNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var (factor, isAttentive) = (arguments.Number("width", 1), arguments.Text("version", "v1") == "v2");
        int Scaled(int width) => TimmRounding.ToMultiple(width * factor, Divisor);
        var style = new TimmStyle("relu");
        var channels = Scaled(StemWidth);
        _stem = style.Unit(this, ("conv_stem", "bn1"), Options.Channels, channels, style.Convolution(3, 2));
        foreach (var (stage, blocks) in _stages.Index())
        {
            foreach (var (i, block) in blocks.Index())
            {
                var outputs = Scaled(block.Outputs);
                _blocks.Add(Add($"blocks.{stage}.{i}", new TimmGhostBlock(
                    style, (channels, Scaled(block.Inner), outputs), block.Kernel, block.Stride, block.Squeeze, isAttentive && _blocks.Count > 1)));
                channels = outputs;
            }
        }

        var last = Scaled(_stages[^1][^1].Inner);
        _last = style.Unit(this, ($"blocks.{_stages.Length}.0.conv", $"blocks.{_stages.Length}.0.bn1"), channels, last, style.Convolution(1));
        _hidden = Add("conv_head", new Convolution(last * _pooling.Multiplier, HiddenWidth, new ConvolutionOptions(1)));
        Classifier = Add(HeadName, new Dense(HiddenWidth, Options.ClassCount));
    }

    protected override string HeadName => "classifier";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        x = Through(x, _blocks, (block, input) => block.Forward(input), trace);
        var plane = _last.Forward(x);                                                           // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return _hidden.Forward(_pooling.Apply(plane).Unsqueeze(-1).Unsqueeze(-1)).Relu().Flatten(1).MoveToOuterDisposeScope();
    }

    /// <summary>torch's own draws stay.</summary>
    protected override void InitializeLayer(Layer layer)
    {
    }
}

/// <summary>One block: widen, filter each channel where the plane shrinks, weigh channels, narrow, beside a shortcut.</summary>
/// <remarks>Source: timm <c>GhostBottleneck</c>. Parity: 1e-5.</remarks>
internal sealed class TimmGhostBlock : TensorLayer
{
    private readonly List<Func<Tensor, Tensor>> _steps = [];
    private readonly List<Func<Tensor, Tensor>> _shortcut = [];

    /// <param name="style">The network's style.</param>
    /// <param name="channels">Channels of the input, inside, and of the output.</param>
    /// <param name="kernel">Side of the depthwise kernels.</param>
    /// <param name="stride">Step of the convolution that shrinks the plane.</param>
    /// <param name="squeezeRatio">Reduced channels of the squeeze as a share; 0 for none.</param>
    /// <param name="isAttentive">Whether rows and columns of a half plane weigh the channels, as in V2.</param>
    public TimmGhostBlock(TimmStyle style, (int Inputs, int Inner, int Outputs) channels, int kernel, int stride, double squeezeRatio, bool isAttentive)
        : base(nameof(TimmGhostBlock))
    {
        var (inputs, inner, outputs) = channels;
        _steps.Add(Add("ghost1", new TimmGhostUnit(style, inputs, inner, isActivated: true, isAttentive)).Forward);
        if (stride > 1)
        {
            _steps.Add(style.Unit(this, ("conv_dw", "bn_dw"), inner, inner, style.Convolution(kernel, stride, inner), isActivated: false).Forward);
        }

        if (squeezeRatio > 0)
        {
            _steps.Add(Add("se", new TimmSqueeze(inner, TimmRounding.ToMultiple(inner * squeezeRatio, 4), ("relu", "hard_sigmoid"), ("conv_reduce", "conv_expand"))).Forward);
        }

        _steps.Add(Add("ghost2", new TimmGhostUnit(style, inner, outputs, isActivated: false, isAttentive: false)).Forward);
        if (inputs != outputs || stride != 1)
        {
            _shortcut.Add(style.Unit(this, ("shortcut.0", "shortcut.1"), inputs, inputs, style.Convolution(kernel, stride, inputs), isActivated: false).Forward);
            _shortcut.Add(style.Unit(this, ("shortcut.2", "shortcut.3"), inputs, outputs, style.Convolution(1), isActivated: false).Forward);
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _steps.Aggregate(input, (plane, step) => step(plane));
        return x.Plus(_shortcut.Aggregate(input, (plane, step) => step(plane))).MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution for half of the channels, and a cheap one of each channel that makes the others of them.</summary>
/// <remarks>Source: timm <c>GhostModule</c>, <c>GhostModuleV2</c>. Parity: 1e-5.</remarks>
internal sealed class TimmGhostUnit : TensorLayer
{
    private const int Reach = 5;
    private readonly TimmUnit _first;
    private readonly TimmUnit _cheap;
    private readonly List<TimmUnit> _attention = [];
    private readonly int _outputs;

    public TimmGhostUnit(TimmStyle style, int inputs, int outputs, bool isActivated, bool isAttentive)
        : base(nameof(TimmGhostUnit))
    {
        _outputs = outputs;
        var half = (outputs + 1) / 2;
        _first = style.Unit(this, ("primary_conv.0", "primary_conv.1"), inputs, half, style.Convolution(1), isActivated);
        _cheap = style.Unit(this, ("cheap_operation.0", "cheap_operation.1"), half, half, style.Convolution(3, 1, half), isActivated);
        if (isAttentive)
        {
            var row = new ConvolutionOptions((1, Reach)) { Padding = (0, Reach / 2), Groups = outputs, HasBias = false };
            var column = new ConvolutionOptions((Reach, 1)) { Padding = (Reach / 2, 0), Groups = outputs, HasBias = false };
            _attention.Add(style.Unit(this, ("short_conv.0", "short_conv.1"), inputs, outputs, style.Convolution(1), isActivated: false));
            _attention.Add(style.Unit(this, ("short_conv.2", "short_conv.3"), outputs, outputs, row, isActivated: false));
            _attention.Add(style.Unit(this, ("short_conv.4", "short_conv.5"), outputs, outputs, column, isActivated: false));
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H, W]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var first = _first.Forward(input);
        var both = TensorShapes.Concat([first, _cheap.Forward(first)], 1).Narrow(1, 0, _outputs);
        if (_attention.Count == 0)
        {
            return both.MoveToOuterDisposeScope();
        }

        var gate = _attention.Aggregate(input.AveragePool(2, 2), (plane, unit) => unit.Forward(plane)).Sigmoid();
        return both.Times(gate.Resize((input.shape[2], input.shape[3]), InterpolationMode.Nearest)).MoveToOuterDisposeScope();
    }
}
