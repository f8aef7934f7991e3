using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>EfficientNet with a linear head on its pooled last plane.</summary>
/// <remarks>Source: transformers <c>EfficientNetForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class EfficientNetNetwork : TransformersNetwork
{
    public const string ModelType = "efficientnet";
    public const string Name = "EfficientNetForImageClassification";

    private const int StemWidth = 32;
    private const int LastWidth = 1280;

    private readonly EfficientNetOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<EfficientNetBlock> _blocks = [];
    private readonly ConvolutionUnit _last;

    public EfficientNetNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "efficientnet.")
    {
        _options = new EfficientNetOptions(configuration);
        var activation = Activation.Named(_options.Activation);
        var stem = _options.Scaled(StemWidth);
        _stem = ConvolutionUnit.Add(
            this, ("efficientnet.embeddings.convolution", "efficientnet.embeddings.batchnorm"), _options.Channels, stem,
            new ConvolutionOptions(3) { Stride = (2, 2), Edges = (0, 1, 0, 1) }, activation, _options.Epsilon, _options.Momentum);
        AddBlocks();
        var last = _options.Scaled(LastWidth);
        if (last != _options.HiddenWidth)
        {
            throw new ModelLoadException(Invariant($"hidden_dim is {_options.HiddenWidth}, but width_coefficient {_options.WidthFactor} makes the last layer {last} wide; expected the same number."));
        }

        _last = ConvolutionUnit.Add(
            this, ("efficientnet.encoder.top_conv", "efficientnet.encoder.top_bn"), _options.Scaled(_options.Outputs[^1]), last,
            new ConvolutionOptions(1), activation, _options.Epsilon, _options.Momentum);
        AddHead("classifier", last);
    }

    /// <remarks>Seen on Zen 4: the backward pass of its depthwise convolutions takes longer than bfloat16 saves elsewhere (docs/performance.md).</remarks>
    internal override bool TrainsSlowerInBfloat16 => true;

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, input) => block.Forward(input), trace);                 // [B, C, H / 32, W / 32]
        var plane = _last.Forward(x);                                                           // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return (_options.PoolsMean ? GlobalPooling.Mean(plane) : GlobalPooling.Max(plane)).MoveToOuterDisposeScope(); // [B, C]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return base.Head(Dropout.Apply(features, _options.HeadDropout, training)).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer)
    {
        InitializeNormal(layer, _options.InitializerRange);
        if (layer is BatchNormalization norm)
        {
            WeightInitialization.Normal(norm.Weight, _options.InitializerRange);
        }
    }

    private void AddBlocks()
    {
        var stages = Enumerable.Range(0, _options.Kernels.Count).ToList();
        var total = stages.Sum(_options.Repeated);
        foreach (var stage in stages)
        {
            var (inputs, outputs) = (_options.Scaled(_options.Inputs[stage]), _options.Scaled(_options.Outputs[stage]));
            for (var i = 0; i < _options.Repeated(stage); i++)
            {
                var number = _blocks.Count;
                var shape = new EfficientNetBlockShape(
                    i == 0 ? inputs : outputs,
                    outputs,
                    _options.Kernels[stage],
                    i == 0 ? _options.Strides[stage] : 1,
                    _options.ExpandRatios[stage],
                    IsFirst: i == 0,
                    PadsBehind: !_options.EvenlyPadded.Contains(number),
                    _options.BlockDropout * number / total);
                _blocks.Add(Add($"efficientnet.encoder.blocks.{number}", new EfficientNetBlock(_options, shape)));
            }
        }
    }
}

/// <summary>What one block of an EfficientNet is made of.</summary>
/// <param name="Inputs">Channels of its input.</param>
/// <param name="Outputs">Channels of its output.</param>
/// <param name="Kernel">Side of its kernel.</param>
/// <param name="Stride">Step of its kernel.</param>
/// <param name="ExpandRatio">How much wider it is inside; 1 leaves the widening out.</param>
/// <param name="IsFirst">Whether it begins a stage, and so has no shortcut.</param>
/// <param name="PadsBehind">Whether a strided kernel is padded more behind than before.</param>
/// <param name="DropRate">Share of the values set to zero before the shortcut, in training.</param>
internal sealed record EfficientNetBlockShape(
    int Inputs, int Outputs, int Kernel, int Stride, int ExpandRatio, bool IsFirst, bool PadsBehind, double DropRate);

/// <summary>One block of an EfficientNet: widen, filter each channel, weigh channels, narrow, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>EfficientNetBlock</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class EfficientNetBlock : Layer
{
    private readonly ConvolutionUnit? _expansion;
    private readonly ConvolutionUnit _depthwise;
    private readonly SqueezeExcitation _squeeze;
    private readonly ConvolutionUnit _projection;
    private readonly bool _hasShortcut;
    private readonly double _dropRate;

    public EfficientNetBlock(EfficientNetOptions options, EfficientNetBlockShape shape)
        : base(nameof(EfficientNetBlock))
    {
        _hasShortcut = shape.Stride == 1 && !shape.IsFirst;
        _dropRate = shape.DropRate;
        var activation = Activation.Named(options.Activation);
        var width = shape.Inputs * shape.ExpandRatio;
        if (shape.ExpandRatio != 1)
        {
            // The reference gives this norm, alone of all, torch's own momentum.
            _expansion = ConvolutionUnit.Add(
                this, ("expansion.expand_conv", "expansion.expand_bn"), shape.Inputs, width, new ConvolutionOptions(1), activation, options.Epsilon);
        }

        _depthwise = ConvolutionUnit.Add(
            this, ("depthwise_conv.depthwise_conv", "depthwise_conv.depthwise_norm"), width, width, Depthwise(shape, width), activation, options.Epsilon, options.Momentum);
        var reduced = Math.Max(1, (int)(shape.Inputs * options.SqueezeRatio));
        _squeeze = Add("squeeze_excite", new SqueezeExcitation(width, reduced, activation, ("reduce", "expand")));
        _projection = ConvolutionUnit.Add(
            this, ("projection.project_conv", "projection.project_bn"), width, shape.Outputs, new ConvolutionOptions(1), activation: null, options.Epsilon, options.Momentum);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _expansion?.Forward(input) ?? input;
        x = _projection.Forward(_squeeze.Forward(_depthwise.Forward(x)));
        return (_hasShortcut ? Dropout.Apply(x, _dropRate, training).Plus_(input) : x).MoveToOuterDisposeScope();
    }

    private static ConvolutionOptions Depthwise(EfficientNetBlockShape shape, int width)
    {
        var half = shape.Kernel / 2;
        var before = shape.PadsBehind && shape.Stride == 2 ? half - 1 : half;
        return new ConvolutionOptions(shape.Kernel) { Stride = (shape.Stride, shape.Stride), Edges = (before, half, before, half), Groups = width };
    }
}

/// <summary>The keys of an EfficientNet's <c>config.json</c> in transformers.</summary>
/// <remarks>Source: transformers <c>EfficientNetConfig</c>; the defaults are its own.</remarks>
internal sealed record EfficientNetOptions
{
    private static readonly string[] _poolings = ["mean", "max"];

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or not known, or the numbers of stages differ.</exception>
    public EfficientNetOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        WidthFactor = configuration.Number("width_coefficient", 2);
        DepthFactor = configuration.Number("depth_coefficient", 3.1);
        WidthDivisor = configuration.WholeNumber("depth_divisor", 8);
        Kernels = configuration.WholeNumbers("kernel_sizes", 3, 3, 5, 3, 5, 5, 3);
        Inputs = configuration.WholeNumbers("in_channels", 32, 16, 24, 40, 80, 112, 192);
        Outputs = configuration.WholeNumbers("out_channels", 16, 24, 40, 80, 112, 192, 320);
        EvenlyPadded = configuration.WholeNumbers("depthwise_padding");
        Strides = configuration.WholeNumbers("strides", 1, 2, 2, 2, 1, 2, 1);
        Repeats = configuration.WholeNumbers("num_block_repeats", 1, 2, 2, 3, 3, 4, 1);
        ExpandRatios = configuration.WholeNumbers("expand_ratios", 1, 6, 6, 6, 6, 6, 6);
        SqueezeRatio = configuration.Number("squeeze_expansion_ratio", 0.25);
        Activation = configuration.Text("hidden_act", "swish");
        HiddenWidth = configuration.WholeNumber("hidden_dim", 2560);
        PoolsMean = configuration.OneOf("pooling_type", "mean", _poolings) == "mean";
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("batch_norm_eps", 0.001);
        Momentum = configuration.Number("batch_norm_momentum", 0.99);
        HeadDropout = configuration.Number("dropout_rate", 0.5);
        BlockDropout = configuration.Number("drop_connect_rate", 0.2);
        OptionChecks.Stages(
            ("kernel_sizes", Kernels), ("in_channels", Inputs), ("out_channels", Outputs), ("strides", Strides), ("num_block_repeats", Repeats), ("expand_ratios", ExpandRatios));
    }

    public int Channels { get; }

    public double WidthFactor { get; }

    public double DepthFactor { get; }

    public int WidthDivisor { get; }

    public IReadOnlyList<int> Kernels { get; }

    public IReadOnlyList<int> Inputs { get; }

    public IReadOnlyList<int> Outputs { get; }

    public IReadOnlyList<int> EvenlyPadded { get; }

    public IReadOnlyList<int> Strides { get; }

    public IReadOnlyList<int> Repeats { get; }

    public IReadOnlyList<int> ExpandRatios { get; }

    public double SqueezeRatio { get; }

    public string Activation { get; }

    public int HiddenWidth { get; }

    public bool PoolsMean { get; }

    public double InitializerRange { get; }

    public double Epsilon { get; }

    public double Momentum { get; }

    public double HeadDropout { get; }

    public double BlockDropout { get; }

    /// <summary>Channels of a layer of the paper, scaled by the width factor.</summary>
    public int Scaled(int channels) => ChannelRounding.ToMultiple(channels * WidthFactor, WidthDivisor);

    /// <summary>Blocks of a stage of the paper, scaled by the depth factor.</summary>
    public int Repeated(int stage) => (int)Math.Ceiling(DepthFactor * Repeats[stage]);
}
