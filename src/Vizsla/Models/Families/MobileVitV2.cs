using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, D width of the tokens, H height, W width, P side of a patch, N patches, I inner width, L labels.

/// <summary>MobileViT V2: inverted residual blocks, and attention of linear cost between the places of patches that correspond, with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>MobileViTV2ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class MobileVitV2Network : TransformersNetwork
{
    public const string ModelType = "mobilevitv2";
    public const string Name = "MobileViTV2ForImageClassification";

    private readonly MobileVitV2Options _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<List<InvertedResidual>> _residuals = [];
    private readonly List<MobileVitV2Block> _transformers = [];

    public MobileVitV2Network(ModelConfiguration configuration)
        : base(configuration, Name, "mobilevitv2.")
    {
        _options = new MobileVitV2Options(configuration);
        var widths = _options.StageWidths;
        _stem = ConvolutionUnit.Add(
            this, ResNetBlock.NamesOf("mobilevitv2.conv_stem"), _options.Channels, widths[0], ConvolutionOptions.Centered(3, 2), Activation.Named(_options.Activation));
        for (var stage = 0; stage < 2; stage++)
        {
            var blocks = new List<InvertedResidual>();
            for (var i = 0; i < stage + 1; i++)
            {
                blocks.Add(Add($"mobilevitv2.encoder.layer.{stage}.layer.{i}", new InvertedResidual(
                    _options.Activation, _options.ExpandRatio, i == 0 ? widths[stage] : widths[stage + 1], widths[stage + 1], i == 0 ? stage + 1 : 1)));
            }

            _residuals.Add(blocks);
        }

        // Where a larger plane is asked for, the last stages do not shrink it; their kernels reach farther instead.
        var dilation = 1;
        for (var i = 0; i < _options.Depths.Count; i++)
        {
            dilation *= (i == 1 && _options.OutputStride == 8) || (i == 2 && _options.OutputStride is 8 or 16) ? 2 : 1;
            _transformers.Add(Add($"mobilevitv2.encoder.layer.{i + 2}", new MobileVitV2Block(_options, i, dilation)));
        }

        AddHead("classifier", widths[^1]);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        foreach (var blocks in _residuals)
        {
            x = Through(x, blocks, (block, plane) => block.Forward(plane));                     // [B, C, H', W']
            trace?.AddHiddenState(x);
        }

        x = Through(x, _transformers, (block, plane) => block.Forward(plane), trace);           // [B, C, H / 32, W / 32]
        trace?.KeepPlane(x);
        return x.Mean([-2, -1]).MoveToOuterDisposeScope();                                      // [B, C]
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);
}

/// <summary>A stage of a MobileViT V2 with attention: local features by convolution, then global ones between patches.</summary>
/// <remarks>Source: transformers <c>MobileViTV2Layer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class MobileVitV2Block : Layer
{
    private readonly InvertedResidual _downsampling;
    private readonly ConvolutionUnit _local;
    private readonly Convolution _project;
    private readonly List<LinearAttentionBlock> _blocks = [];
    private readonly GroupNormalization _norm;
    private readonly ConvolutionUnit _back;
    private readonly long _side;

    public MobileVitV2Block(MobileVitV2Options options, int index, int dilation)
        : base(nameof(MobileVitV2Block))
    {
        _side = options.PatchSize;
        var (inputs, outputs, width) = (options.StageWidths[index + 2], options.StageWidths[index + 3], options.Widths[index]);
        _downsampling = Add("downsampling_layer", new InvertedResidual(
            options.Activation, options.ExpandRatio, inputs, outputs, dilation == 1 ? 2 : 1, Math.Max(1, dilation / 2)));
        _local = ConvolutionUnit.Add(
            this, ResNetBlock.NamesOf("conv_kxk"), outputs, outputs, ConvolutionOptions.Centered(options.KernelSize, groups: outputs), Activation.Named(options.Activation));
        _project = Add("conv_1x1.convolution", new Convolution(outputs, width, new ConvolutionOptions(1) { HasBias = false }));
        for (var i = 0; i < options.Depths[index]; i++)
        {
            _blocks.Add(Add($"transformer.layer.{i}", new LinearAttentionBlock(options, width)));
        }

        _norm = Add("layernorm", new GroupNormalization(width, groups: 1, options.Epsilon));
        _back = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("conv_projection"), width, outputs, new ConvolutionOptions(1), activation: null);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _project.Forward(_local.Forward(_downsampling.Forward(input)));                 // [B, D, H', W']
        var (width, rows, columns) = (x.shape[1], x.shape[2] / _side, x.shape[3] / _side);
        var (below, right) = (x.shape[2] - rows * _side, x.shape[3] - columns * _side);

        // What is no whole patch is left out, and is zero afterwards.
        var whole = below + right > 0 ? x.Narrow(2, 0, rows * _side).Narrow(3, 0, columns * _side) : x;
        var patches = whole.Reshape(x.shape[0], width, rows, _side, columns, _side)
            .Permute(0, 1, 3, 5, 2, 4).Reshape(x.shape[0], width, _side * _side, -1);           // [B, D, P P, N]
        foreach (var block in _blocks)
        {
            patches = block.Forward(patches);
        }

        x = _norm.Forward(patches).Reshape(input.shape[0], width, _side, _side, rows, columns)
            .Permute(0, 1, 4, 2, 5, 3).Reshape(input.shape[0], width, rows * _side, columns * _side); // [B, D, H', W']
        x = below + right > 0 ? x.Pad([0, right, 0, below]) : x;
        return _back.Forward(x).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention whose cost is linear in the number of patches, and a perceptron, each after a norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>MobileViTV2TransformerLayer</c>, <c>MobileViTV2LinearSelfAttention</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class LinearAttentionBlock : Layer
{
    private const int WidthDivisor = 16;

    private readonly GroupNormalization _before;
    private readonly Convolution _joined;
    private readonly Convolution _output;
    private readonly GroupNormalization _after;
    private readonly Convolution _widen;
    private readonly Convolution _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly MobileVitV2Options _options;

    public LinearAttentionBlock(MobileVitV2Options options, int width)
        : base(nameof(LinearAttentionBlock))
    {
        _options = options;
        _activation = Activation.Named(options.Activation);
        var inner = options.PerceptronFactor * width / WidthDivisor * WidthDivisor;
        _before = Add("layernorm_before", new GroupNormalization(width, groups: 1, options.Epsilon));
        _joined = Add("attention.qkv_proj.convolution", new Convolution(width, 1 + 2 * width, new ConvolutionOptions(1)));
        _output = Add("attention.out_proj.convolution", new Convolution(width, width, new ConvolutionOptions(1)));
        _after = Add("layernorm_after", new GroupNormalization(width, groups: 1, options.Epsilon));
        _widen = Add("ffn.conv1.convolution", new Convolution(width, inner, new ConvolutionOptions(1)));
        _narrow = Add("ffn.conv2.convolution", new Convolution(inner, width, new ConvolutionOptions(1)));
    }

    /// <param name="patches">Float [B, D, P P, N].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Forward(Tensor patches)
    {
        using var scope = NewDisposeScope();
        var width = patches.shape[1];
        var parts = _joined.Forward(_before.Forward(patches)).Split([1, width, width], 1);      // [B, 1 or D, P P, N]
        var shares = Dropout.Apply(parts[0].Softmax(-1), _options.AttentionDropout, training);  // [B, 1, P P, N]
        var context = parts[1].Times(shares).Sum([-1], keepsAxes: true);                        // [B, D, P P, 1]
        var attended = _output.Forward(parts[2].Relu().Times(context)).Plus(patches);           // [B, D, P P, N]
        var inner = Dropout.Apply(_activation(_widen.Forward(_after.Forward(attended))), _options.PerceptronDropout, training);
        return Dropout.Apply(_narrow.Forward(inner), _options.PerceptronDropout, training).Plus(attended).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a MobileViT V2's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>MobileViTV2Config</c>; the defaults are its own.</remarks>
internal sealed record MobileVitV2Options
{
    private const int StageCount = 3;
    private static readonly int[] _outputStrides = [8, 16, 32];

    private static readonly int[] _laterWidths = [128, 256, 384, 512];

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or there are other stages than the network has.</exception>
    public MobileVitV2Options(ModelConfiguration configuration)
    {
        var factor = configuration.Number("width_multiplier", 1);
        Channels = configuration.WholeNumber("num_channels", 3);
        PatchSize = configuration.WholeNumber("patch_size", 2);
        ExpandRatio = configuration.Number("expand_ratio", 2);
        Activation = configuration.Text("hidden_act", "swish");
        KernelSize = configuration.WholeNumber("conv_kernel_size", 3);
        OutputStride = configuration.WholeNumber("output_stride", 32);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("layer_norm_eps", 1e-5);
        Depths = configuration.WholeNumbers("n_attn_blocks", 2, 4, 3);
        var widths = configuration.WholeNumbers("base_attn_unit_dims", 128, 192, 256);
        PerceptronFactor = configuration.WholeNumber("ffn_multiplier", 2);
        AttentionDropout = configuration.Number("attn_dropout", 0);
        PerceptronDropout = configuration.Number("ffn_dropout", 0);
        OptionChecks.Positive(("ffn_multiplier", PerceptronFactor));
        if (Depths.Count != StageCount || widths.Count != StageCount)
        {
            throw new ModelLoadException($"n_attn_blocks has {Depths.Count} and base_attn_unit_dims {widths.Count} entries; expected {StageCount} of each.");
        }

        if (!_outputStrides.Contains(OutputStride))
        {
            throw new ModelLoadException(Invariant($"output_stride is {OutputStride}, expected {string.Join(" or ", _outputStrides)}."));
        }

        Widths = [.. widths.Select(w => ChannelRounding.ToMultiple(w * factor, 8))];
        StageWidths =
        [
            ChannelRounding.ToMultiple(Math.Clamp(32 * factor, 16, 64), 8, 16),
            ChannelRounding.ToMultiple(64 * factor, 16),
            .. _laterWidths.Select(w => ChannelRounding.ToMultiple(w * factor, 8)),
        ];
    }

    public int Channels { get; }

    public int PatchSize { get; }

    public double ExpandRatio { get; }

    public string Activation { get; }

    public int KernelSize { get; }

    public int OutputStride { get; }

    public double InitializerRange { get; }

    public double Epsilon { get; }

    public IReadOnlyList<int> Depths { get; }

    /// <summary>Width of the tokens in each stage with attention.</summary>
    public IReadOnlyList<int> Widths { get; }

    /// <summary>Channels of the stem and of the five stages.</summary>
    public IReadOnlyList<int> StageWidths { get; }

    public int PerceptronFactor { get; }

    public double AttentionDropout { get; }

    public double PerceptronDropout { get; }
}
