using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>MobileNetV2 with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>MobileNetV2ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class MobileNetV2Network : TransformersNetwork
{
    public const string ModelType = "mobilenet_v2";
    public const string Name = "MobileNetV2ForImageClassification";

    private const int StemWidth = 32;
    private const int LastWidth = 1280;
    private static readonly int[] _widths = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320];
    private static readonly int[] _strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1];

    private readonly MobileNetV2Options _options;
    private readonly MobileNetV2Block _stem;
    private readonly List<MobileNetV2Block> _blocks = [];
    private readonly MobileNetV2Block _last;

    public MobileNetV2Network(ModelConfiguration configuration)
        : base(configuration, Name, "mobilenet_v2.")
    {
        _options = new MobileNetV2Options(configuration);
        var widths = _widths.Select(_options.Scaled).ToList();
        _stem = Add("mobilenet_v2.conv_stem", MobileNetV2Block.Stem(_options, _options.Scaled(StemWidth), widths[0]));

        // Once the plane is as small as asked for, strides turn into dilation of the layers behind.
        var (shrunk, dilation) = (2, 1);
        for (var i = 0; i < _strides.Length; i++)
        {
            var isSmallest = shrunk == _options.OutputStride;
            _blocks.Add(Add($"mobilenet_v2.layer.{i}", MobileNetV2Block.Residual(
                _options, widths[i], widths[i + 1], isSmallest ? 1 : _strides[i], isSmallest ? dilation : 1)));
            (shrunk, dilation) = isSmallest ? (shrunk, dilation * _strides[i]) : (shrunk * _strides[i], dilation);
        }

        var last = _options.HasWideOutput && _options.WidthFactor < 1 ? LastWidth : _options.Scaled(LastWidth);
        _last = Add("mobilenet_v2.conv_1x1", MobileNetV2Block.Last(_options, widths[^1], last));
        AddHead("classifier", last);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        x = Through(x, _blocks, (block, input) => block.Forward(input), trace);                 // [B, C, H / 32, W / 32]
        var plane = _last.Forward(x);                                                           // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return GlobalPooling.Mean(plane).MoveToOuterDisposeScope();                             // [B, C]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return base.Head(Dropout.Apply(features, _options.HeadDropout, training)).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);
}

/// <summary>A row of convolution units of a MobileNetV2 under one name: the stem, an inverted residual block, or the last one.</summary>
/// <remarks>
/// Source: transformers <c>MobileNetV2Stem</c>, <c>MobileNetV2InvertedResidual</c>, <c>MobileNetV2ConvLayer</c>; the names are those of its file. Parity: 1e-5.
/// </remarks>
internal sealed class MobileNetV2Block : Layer
{
    // transformers hands TensorFlow's decay to torch, where momentum means the share of the newest batch.
    private const double Momentum = 0.997;

    private readonly MobileNetV2Options _options;
    private readonly List<ConvolutionUnit> _units = [];
    private readonly bool _hasShortcut;

    private MobileNetV2Block(MobileNetV2Options options, bool hasShortcut)
        : base(nameof(MobileNetV2Block))
    {
        _options = options;
        _hasShortcut = hasShortcut;
    }

    /// <summary>The first convolutions, to half the size.</summary>
    public static MobileNetV2Block Stem(MobileNetV2Options options, int expanded, int outputs)
    {
        var block = new MobileNetV2Block(options, hasShortcut: false);
        block.AddUnit("first_conv.", options.Channels, expanded, ConvolutionOptions.Centered(3, 2));
        if (!options.FirstLayerExpands)
        {
            block.AddUnit("expand_1x1.", expanded, expanded, new ConvolutionOptions(1));
        }

        block.AddUnit("conv_3x3.", expanded, expanded, ConvolutionOptions.Centered(3, groups: expanded));
        block.AddUnit("reduce_1x1.", expanded, outputs, new ConvolutionOptions(1), isActivated: false);
        return block;
    }

    /// <summary>A block that widens, filters each channel, and narrows, beside a shortcut where the shapes allow one.</summary>
    public static MobileNetV2Block Residual(MobileNetV2Options options, int inputs, int outputs, int stride, int dilation)
    {
        var expanded = options.Expanded(inputs);
        var block = new MobileNetV2Block(options, stride == 1 && inputs == outputs);
        block.AddUnit("expand_1x1.", inputs, expanded, new ConvolutionOptions(1));
        block.AddUnit("conv_3x3.", expanded, expanded, ConvolutionOptions.Centered(3, stride, expanded, dilation));
        block.AddUnit("reduce_1x1.", expanded, outputs, new ConvolutionOptions(1), isActivated: false);
        return block;
    }

    /// <summary>The last convolution; its two parts have no name of their own below the layer.</summary>
    public static MobileNetV2Block Last(MobileNetV2Options options, int inputs, int outputs)
    {
        var block = new MobileNetV2Block(options, hasShortcut: false);
        block.AddUnit("", inputs, outputs, new ConvolutionOptions(1));
        return block;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var unit in _units)
        {
            x = unit.Forward(x);
        }

        return (_hasShortcut ? x.Plus_(input) : x).MoveToOuterDisposeScope();
    }

    private void AddUnit(string prefix, int inputs, int outputs, ConvolutionOptions options, bool isActivated = true) => _units.Add(ConvolutionUnit.Add(
        this, (prefix + "convolution", prefix + "normalization"), inputs, outputs, options with { IsSamePadded = _options.IsSamePadded },
        isActivated ? Activation.Named(_options.Activation) : null, _options.Epsilon, Momentum));
}

/// <summary>The keys of a MobileNetV2's <c>config.json</c> in transformers.</summary>
/// <remarks>Source: transformers <c>MobileNetV2Config</c>; the defaults are its own.</remarks>
internal sealed record MobileNetV2Options
{
    /// <summary>Reads the keys and checks them.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the width factor is not positive.</exception>
    public MobileNetV2Options(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        WidthFactor = configuration.Number("depth_multiplier", 1);
        WidthDivisor = configuration.WholeNumber("depth_divisible_by", 8);
        SmallestWidth = configuration.WholeNumber("min_depth", 8);
        ExpandRatio = configuration.Number("expand_ratio", 6);
        OutputStride = configuration.WholeNumber("output_stride", 32);
        FirstLayerExpands = configuration.Flag("first_layer_is_expansion", true);
        HasWideOutput = configuration.Flag("finegrained_output", true);
        Activation = configuration.Text("hidden_act", "relu6");
        IsSamePadded = configuration.Flag("tf_padding", true);
        HeadDropout = configuration.Number("classifier_dropout_prob", 0.8);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("layer_norm_eps", 0.001);
        if (WidthFactor <= 0)
        {
            throw new ModelLoadException("depth_multiplier must be greater than zero.");
        }
    }

    public int Channels { get; }

    public double WidthFactor { get; }

    public int WidthDivisor { get; }

    public int SmallestWidth { get; }

    public double ExpandRatio { get; }

    public int OutputStride { get; }

    public bool FirstLayerExpands { get; }

    public bool HasWideOutput { get; }

    public string Activation { get; }

    public bool IsSamePadded { get; }

    public double HeadDropout { get; }

    public double InitializerRange { get; }

    public double Epsilon { get; }

    /// <summary>Channels of a layer of the paper, scaled by the width factor.</summary>
    public int Scaled(int channels) => Divisible(channels * WidthFactor);

    /// <summary>Channels inside a block.</summary>
    public int Expanded(int channels) => Divisible(channels * ExpandRatio);

    private int Divisible(double channels) =>
        ChannelRounding.ToMultiple((int)Math.Round(channels, MidpointRounding.ToEven), WidthDivisor, SmallestWidth);
}
