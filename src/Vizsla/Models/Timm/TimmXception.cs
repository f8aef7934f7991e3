using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's aligned Xception, with norms behind convolutions or, in the names that end in p, before them.</summary>
/// <remarks>Source: timm <c>XceptionAligned</c>. Parity: 1e-4.</remarks>
internal sealed class TimmXceptionNetwork : TimmNetwork
{
    private readonly List<Func<Tensor, Tensor>> _stem = [];
    private readonly List<TimmXceptionBlock> _blocks = [];
    private readonly bool _normsFirst;
    private readonly TimmPooling _pooling;

    public TimmXceptionNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        _normsFirst = arguments.Flag("preact", false);
        var style = new TimmStyle("relu", arguments.Text("norm_layer", TimmStyle.BatchNorm));
        _stem.Add(style.Unit(this, ("stem.0.conv", "stem.0.bn"), Options.Channels, 32, style.Convolution(3, 2)).Forward);
        _stem.Add(_normsFirst
            ? Add("stem.1", new Convolution(32, 64, style.Convolution(3))).Forward
            : style.Unit(this, ("stem.1.conv", "stem.1.bn"), 32, 64, style.Convolution(3)).Forward);
        var definitions = arguments.Json["block_cfg"]!.AsArray();
        var channels = 0;
        for (var i = 0; i < definitions.Count; i++)
        {
            var definition = definitions[i]!.AsArray();
            int[] widths = definition[1] is JsonArray several ? [.. several.Select(w => (int)w!)] : [.. Enumerable.Repeat((int)definition[1]!, 3)];
            channels = widths[^1];
            _blocks.Add(Add($"blocks.{i}", new TimmXceptionBlock(
                style, (int)definition[0]!, widths, (int)definition[2]!, definition.Count == 3, _normsFirst, Options.DropPath * i / (definitions.Count - 1))));
        }

        Classifier = Add(HeadName, new Dense(channels * _pooling.Multiplier, Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = Arranged(pixels);
        foreach (var step in _stem)
        {
            x = step(x);                                                                        // [B, C, H / 2, W / 2]
        }

        x = Through(x, _blocks, (block, input) => block.Forward(input), trace);
        var plane = _normsFirst ? x.Relu() : x;                                                 // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return _pooling.Apply(plane).MoveToOuterDisposeScope();                                 // [B, C]
    }

    /// <summary>torch's own draws stay.</summary>
    protected override void InitializeLayer(Layer layer)
    {
    }
}

/// <summary>One block: three convolutions, each split into one of each channel and one of single places, beside a shortcut.</summary>
/// <remarks>Source: timm <c>XceptionModule</c>, <c>PreXceptionModule</c>. Parity: 1e-5.</remarks>
internal sealed class TimmXceptionBlock : TensorLayer
{
    private readonly TensorLayer? _norm;
    private readonly List<Func<Tensor, Tensor>> _steps = [];
    private readonly Func<Tensor, Tensor>? _shortcut;
    private readonly bool _hasShortcut;
    private readonly double _dropPath;

    /// <param name="style">Activation and norm.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="widths">Channels behind each convolution.</param>
    /// <param name="stride">Step of the last convolution.</param>
    /// <param name="hasShortcut">Whether there is a shortcut; without one activations follow the convolutions.</param>
    /// <param name="normsFirst">Whether norms come before convolutions.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public TimmXceptionBlock(TimmStyle style, int inputs, int[] widths, int stride, bool hasShortcut, bool normsFirst, double dropPath)
        : base(nameof(TimmXceptionBlock))
    {
        (_hasShortcut, _dropPath) = (hasShortcut, dropPath);
        if (hasShortcut && (inputs != widths[^1] || stride != 1))
        {
            _shortcut = normsFirst
                ? Add("shortcut", new Convolution(inputs, widths[^1], style.Convolution(1, stride))).Forward
                : style.Unit(this, ("shortcut.conv", "shortcut.bn"), inputs, widths[^1], style.Convolution(1, stride), isActivated: false).Forward;
        }

        _norm = normsFirst ? Add("norm", style.MakeNorm(inputs)) : null;
        for (var i = 0; i < widths.Length; i++)
        {
            var (name, width, step) = ($"stack.conv{i + 1}", widths[i], i == widths.Length - 1 ? stride : 1);
            if (normsFirst)
            {
                if (i > 0)
                {
                    _steps.Add(Activated(Add($"{name}.norm", style.MakeNorm(inputs))));
                }

                _steps.Add(Add($"{name}.conv_dw", new Convolution(inputs, inputs, style.Convolution(3, step, inputs))).Forward);
                _steps.Add(Add($"{name}.conv_pw", new Convolution(inputs, width, style.Convolution(1))).Forward);
            }
            else
            {
                if (hasShortcut)
                {
                    _steps.Add(x => x.Relu());
                }

                _steps.Add(style.Unit(this, ($"{name}.conv_dw", $"{name}.bn_dw"), inputs, inputs, style.Convolution(3, step, inputs), !hasShortcut).Forward);
                _steps.Add(style.Unit(this, ($"{name}.conv_pw", $"{name}.bn_pw"), inputs, width, style.Convolution(1), !hasShortcut).Forward);
            }

            inputs = width;
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var start = _norm is null ? input : Activated(_norm)(input);
        var x = _steps.Aggregate(start, (plane, step) => step(plane));
        return (_hasShortcut ? StochasticDepth.Apply(x, _dropPath, training).Plus(_shortcut?.Invoke(start) ?? start) : x).MoveToOuterDisposeScope();
    }

    private static Func<Tensor, Tensor> Activated(TensorLayer norm) => x => norm.Forward(x).Relu();
}

/// <summary>The Xception of the paper, as timm's <c>legacy_xception</c>.</summary>
/// <remarks>Source: timm <c>Xception</c>. Parity: 1e-4.</remarks>
internal sealed class TimmLegacyXceptionNetwork : TimmNetwork
{
    private readonly TimmStyle _style = new("relu");
    private readonly List<Func<Tensor, Tensor>> _steps = [];
    private readonly TimmPooling _pooling;

    public TimmLegacyXceptionNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var plain = new ConvolutionOptions(3) { HasBias = false };
        _steps.Add(_style.Unit(this, ("conv1", "bn1"), Options.Channels, 32, plain with { Stride = (2, 2) }).Forward);
        _steps.Add(_style.Unit(this, ("conv2", "bn2"), 32, 64, plain).Forward);
        int[] widths = [64, 128, 256, 728];
        for (var i = 1; i < widths.Length; i++)
        {
            AddBlock(i, widths[i - 1], [widths[i], widths[i]], 2);
        }

        for (var i = widths.Length; i < 12; i++)
        {
            AddBlock(i, 728, [728, 728, 728], 1);
        }

        AddBlock(12, 728, [728, 1024], 2);
        AddLast(3, 1024, 1536);
        AddLast(4, 1536, 2048);
        Classifier = Add(HeadName, new Dense(2048 * _pooling.Multiplier, Options.ClassCount));
    }

    public override int SmallestSide => 32;

    protected override string HeadName => "fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var plane = Through(Arranged(pixels), _steps, (step, x) => step(x));                    // [B, C, H / 32, W / 32]
        trace?.AddHiddenState(plane);
        trace?.KeepPlane(plane);
        return _pooling.Apply(plane).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer is Convolution convolution)
        {
            WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
        }
    }

    private void AddLast(int number, int inputs, int outputs)
    {
        _steps.Add(Add($"conv{number}.conv1", new Convolution(inputs, inputs, _style.Convolution(3, 1, inputs))).Forward);
        _steps.Add(_style.Unit(this, ($"conv{number}.pointwise", $"bn{number}"), inputs, outputs, _style.Convolution(1)).Forward);
    }

    private void AddBlock(int number, int inputs, int[] widths, int stride)
    {
        var prefix = $"block{number}.";
        var shortcut = stride == 1
            ? null
            : _style.Unit(this, (prefix + "skip", prefix + "skipbn"), inputs, widths[^1], _style.Convolution(1, stride), isActivated: false);
        var steps = new List<Func<Tensor, Tensor>>();
        var (place, channels) = (0, inputs);
        foreach (var (i, width) in widths.Index())
        {
            if (number > 1 || i > 0)
            {
                steps.Add(x => x.Relu());
                place++;
            }

            steps.Add(Add($"{prefix}rep.{place}.conv1", new Convolution(channels, channels, _style.Convolution(3, 1, channels))).Forward);
            steps.Add(_style.Unit(this, ($"{prefix}rep.{place}.pointwise", $"{prefix}rep.{place + 1}"), channels, width, _style.Convolution(1), isActivated: false).Forward);
            (place, channels) = (place + 2, width);
        }

        if (stride > 1)
        {
            steps.Add(x => x.MaxPool(3, stride, 1));
        }

        _steps.Add(x => steps.Aggregate(x, (plane, step) => step(plane)).Plus(shortcut?.Forward(x) ?? x));
    }
}
