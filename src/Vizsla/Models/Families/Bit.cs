using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>Big Transfer, a ResNet with standardized weights and group norms, with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>BitForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class BitNetwork : TransformersNetwork
{
    public const string ModelType = "bit";
    public const string Name = "BitForImageClassification";

    private const int StemKernel = 7;
    private const int StemStride = 4;

    private readonly BitOptions _options;
    private readonly StandardizedConvolution _stem;
    private readonly GroupNormalization? _first;
    private readonly List<List<BitBlock>> _stages = [];
    private readonly GroupNormalization? _last;
    private readonly Func<Tensor, Tensor> _activation;

    public BitNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "bit.")
    {
        _options = new BitOptions(configuration);
        _activation = Activation.Named(_options.Activation);
        _stem = Add("bit.embedder.convolution", new StandardizedConvolution(_options.Channels, _options.StemWidth, _options.Padded(StemKernel, 2), BitOptions.StandardizingEpsilon));
        _first = _options.IsPreactivated ? null : Add("bit.embedder.norm", new GroupNormalization(_options.StemWidth, _options.GroupCount));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        var (width, shrunk, dilation) = (_options.StemWidth, StemStride, 1);
        for (var stage = 0; stage < _options.Widths.Count; stage++)
        {
            var stride = stage == 0 ? 1 : 2;
            (stride, dilation) = shrunk >= _options.OutputStride ? (1, dilation * stride) : (stride, dilation);
            var (blocks, firstDilation, outputs) = (new List<BitBlock>(), dilation is 1 or 2 ? 1 : 2, _options.Scaled(_options.Widths[stage]));
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"bit.encoder.stages.{stage}.layers.{i}", new BitBlock(
                    _options, (width, outputs), i == 0 ? stride : 1, _options.IsPreactivated ? 1 : firstDilation, isFirst: i == 0, rates.Dequeue())));
                (width, firstDilation) = (outputs, dilation);
            }

            shrunk *= stride;
            _stages.Add(blocks);
        }

        _last = _options.IsPreactivated ? Add("bit.norm", new GroupNormalization(width, _options.GroupCount)) : null;
        AddHead("classifier.1", width);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        x = _options.Padding == BitPadding.Same ? x : x.Pad([1, 1, 1, 1]);
        x = _first is null ? x : _activation(_first.Forward(x));
        x = _options.PadsStemDynamically ? PaddedForPool(x).MaxPool(3, 2) : x.MaxPool(3, 2);    // [B, C, H / 4, W / 4]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            x = Through(x, stage, (block, plane) => block.Forward(plane));                      // [B, C, H, W]
            trace?.AddHiddenState(x);
        }

        x = _last is null ? x : _activation(_last.Forward(x));
        trace?.KeepPlane(x);
        return GlobalPooling.Mean(x).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case StandardizedConvolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
            case Dense dense:
                WeightInitialization.ResetLikeTorch(dense.Weight, dense.Bias);
                break;
        }
    }

    private static Tensor PaddedForPool(Tensor x)
    {
        var (top, bottom) = SamePadding.Sides(x.shape[2], 3, 2);
        var (left, right) = SamePadding.Sides(x.shape[3], 3, 2);
        return x.Pad([left, right, top, bottom]);
    }
}

/// <summary>One block of a BiT: a wide convolution between two of single places, each with a group norm before it or after it, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>BitPreActivationBottleneckLayer</c>, <c>BitBottleneckLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class BitBlock : Layer
{
    private const double BottleneckShare = 0.25;
    private const int WidthDivisor = 8;

    private readonly StandardizedConvolution? _shortcut;
    private readonly GroupNormalization? _shortcutNorm;
    private readonly List<StandardizedConvolution> _convolutions = [];
    private readonly List<GroupNormalization> _norms = [];
    private readonly Func<Tensor, Tensor> _activation;
    private readonly bool _isPreactivated;
    private readonly double _dropPath;

    public BitBlock(BitOptions options, (int Inputs, int Outputs) widths, int stride, int dilation, bool isFirst, double dropPath)
        : base(nameof(BitBlock))
    {
        _activation = Activation.Named(options.Activation);
        _isPreactivated = options.IsPreactivated;
        _dropPath = dropPath;
        var (inputs, outputs) = widths;
        var narrow = ChannelRounding.ToMultiple(outputs * BottleneckShare, WidthDivisor);
        if (isFirst)
        {
            _shortcut = Add("downsample.conv", new StandardizedConvolution(inputs, outputs, options.Padded(1, stride), BitOptions.StandardizingEpsilon));
            _shortcutNorm = _isPreactivated ? null : Add("downsample.norm", new GroupNormalization(outputs, options.GroupCount));
        }

        var shapes = new[] { (inputs, narrow, options.Padded(1, 1)), (narrow, narrow, options.Padded(3, stride, dilation)), (narrow, outputs, options.Padded(1, 1)) };
        for (var i = 0; i < shapes.Length; i++)
        {
            var (from, to, shape) = shapes[i];
            _norms.Add(Add($"norm{i + 1}", new GroupNormalization(_isPreactivated ? from : to, options.GroupCount)));
            _convolutions.Add(Add($"conv{i + 1}", new StandardizedConvolution(from, to, shape, BitOptions.StandardizingEpsilon)));
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        if (_isPreactivated)
        {
            var first = _activation(_norms[0].Forward(input));                                  // [B, C, H, W]
            var x = _convolutions[0].Forward(first);
            x = _convolutions[1].Forward(_activation(_norms[1].Forward(x)));
            x = _convolutions[2].Forward(_activation(_norms[2].Forward(x)));                    // [B, C', H', W']
            return StochasticDepth.Apply(x, _dropPath, training).Plus(_shortcut?.Forward(first) ?? input).MoveToOuterDisposeScope();
        }

        var y = _activation(_norms[0].Forward(_convolutions[0].Forward(input)));
        y = _activation(_norms[1].Forward(_convolutions[1].Forward(y)));
        y = StochasticDepth.Apply(_norms[2].Forward(_convolutions[2].Forward(y)), _dropPath, training); // [B, C', H', W']
        var shortcut = _shortcut is null ? input : _shortcutNorm!.Forward(_shortcut.Forward(input));
        return _activation(y.Plus(shortcut)).MoveToOuterDisposeScope();
    }
}

/// <summary>How a BiT pads its convolutions.</summary>
internal enum BitPadding
{
    /// <summary>Alike on all sides.</summary>
    Even,

    /// <summary>As TensorFlow: as many zeros as make the output ceil(size / stride), the odd one at the end.</summary>
    Same,

    /// <summary>Not at all.</summary>
    Valid,
}

/// <summary>The keys of a BiT's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>BitConfig</c>; the defaults are its own.</remarks>
internal sealed record BitOptions
{
    /// <summary>Added to the variance of the weights.</summary>
    public const double StandardizingEpsilon = 1e-8;

    private const int WidthDivisor = 8;
    private static readonly string[] _layerTypes = ["preactivation", "bottleneck"];
    private static readonly string[] _paddings = ["", "SAME", "VALID"];

    private readonly int _widthFactor;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or not known, the numbers of stages differ, or the groups do not divide a width.</exception>
    public BitOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        StemWidth = configuration.WholeNumber("embedding_size", 64);
        Widths = configuration.WholeNumbers("hidden_sizes", 256, 512, 1024, 2048);
        Depths = configuration.WholeNumbers("depths", 3, 4, 6, 3);
        IsPreactivated = configuration.OneOf("layer_type", "preactivation", _layerTypes) == "preactivation";
        Activation = configuration.Text("hidden_act", "relu");
        Padding = configuration.OneOf("global_padding", "", _paddings) switch
        {
            "SAME" => BitPadding.Same,
            "VALID" => BitPadding.Valid,
            _ => BitPadding.Even,
        };
        GroupCount = configuration.WholeNumber("num_groups", 32);
        DropPath = configuration.Number("drop_path_rate", 0);
        PadsStemDynamically = configuration.Flag("embedding_dynamic_padding", false);
        OutputStride = configuration.WholeNumber("output_stride", 32);
        _widthFactor = configuration.WholeNumber("width_factor", 1);
        OptionChecks.Stages(("hidden_sizes", Widths), ("depths", Depths));
        OptionChecks.Positive(("num_groups", GroupCount), ("width_factor", _widthFactor), ("embedding_size", StemWidth));
        foreach (var width in Widths.Select(Scaled).SelectMany(w => new[] { w, ChannelRounding.ToMultiple(w * 0.25, WidthDivisor) }).Append(StemWidth))
        {
            if (width % GroupCount != 0)
            {
                throw new ModelLoadException($"num_groups {GroupCount} does not divide {width}, the channels of a layer; change num_groups, hidden_sizes or embedding_size.");
            }
        }
    }

    public int Channels { get; }

    public int StemWidth { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> Depths { get; }

    public bool IsPreactivated { get; }

    public string Activation { get; }

    public BitPadding Padding { get; }

    public int GroupCount { get; }

    public double DropPath { get; }

    public bool PadsStemDynamically { get; }

    public int OutputStride { get; }

    /// <summary>Channels of a stage, scaled by the width factor.</summary>
    public int Scaled(int width) => ChannelRounding.ToMultiple(width * _widthFactor, WidthDivisor);

    /// <summary>A square kernel with the padding of the configuration.</summary>
    public ConvolutionOptions Padded(int side, int stride, int dilation = 1)
    {
        var even = (stride - 1 + dilation * (side - 1)) / 2;
        var options = new ConvolutionOptions(side) { Stride = (stride, stride), Dilation = dilation, HasBias = false };
        return Padding switch
        {
            BitPadding.Even => options with { Padding = (even, even) },
            BitPadding.Same => options with { IsSamePadded = true },
            _ => options,
        };
    }
}
