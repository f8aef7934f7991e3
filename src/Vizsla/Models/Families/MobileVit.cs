using TorchSharp;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, D width of the tokens, H height, W width, P side of a patch, N patches, L labels.

/// <summary>MobileViT: inverted residual blocks, and transformers between the places of patches that correspond, with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>MobileViTForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class MobileVitNetwork : TransformersNetwork
{
    public const string ModelType = "mobilevit";
    public const string Name = "MobileViTForImageClassification";

    private static readonly int[] _transformerDepths = [2, 4, 3];

    private readonly MobileVitOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<List<InvertedResidual>> _residuals = [];
    private readonly List<MobileVitBlock> _transformers = [];
    private readonly ConvolutionUnit _last;

    public MobileVitNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "mobilevit.")
    {
        _options = new MobileVitOptions(configuration);
        var (neck, activation) = (_options.NeckWidths, Activation.Named(_options.Activation));
        _stem = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("mobilevit.conv_stem"), _options.Channels, neck[0], ConvolutionOptions.Centered(3, 2), activation);
        for (var stage = 0; stage < 2; stage++)
        {
            var blocks = new List<InvertedResidual>();
            for (var i = 0; i < (stage == 0 ? 1 : 3); i++)
            {
                blocks.Add(Add($"mobilevit.encoder.layer.{stage}.layer.{i}", new InvertedResidual(
                    _options.Activation, _options.ExpandRatio, i == 0 ? neck[stage] : neck[stage + 1], neck[stage + 1], i == 0 ? stage + 1 : 1)));
            }

            _residuals.Add(blocks);
        }

        // Where a larger plane is asked for, the last stages do not shrink it; their kernels reach farther instead.
        var dilation = 1;
        for (var i = 0; i < _transformerDepths.Length; i++)
        {
            dilation *= (i == 1 && _options.OutputStride == 8) || (i == 2 && _options.OutputStride is 8 or 16) ? 2 : 1;
            _transformers.Add(Add($"mobilevit.encoder.layer.{i + 2}", new MobileVitBlock(_options, i, _transformerDepths[i], dilation)));
        }

        _last = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("mobilevit.conv_1x1_exp"), neck[5], neck[6], new ConvolutionOptions(1), activation);
        AddHead("classifier", neck[6]);
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

        x = Through(x, _transformers, (block, plane) => block.Forward(plane, trace), trace);    // [B, C, H / 32, W / 32]
        var last = _last.Forward(x);                                                            // [B, C, H / 32, W / 32]
        trace?.KeepPlane(last);
        return last.Mean([-2, -1]).MoveToOuterDisposeScope();                                   // [B, C]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return base.Head(Dropout.Apply(features, _options.HeadDropout, training)).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);
}

/// <summary>Widens, filters each channel and narrows, beside a shortcut where the shapes allow one.</summary>
/// <remarks>Source: transformers <c>MobileViTInvertedResidual</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class InvertedResidual : Layer
{
    private const int WidthDivisor = 8;

    private readonly List<ConvolutionUnit> _units = [];
    private readonly bool _hasShortcut;

    public InvertedResidual(string activationName, double expandRatio, int inputs, int outputs, int stride, int dilation = 1)
        : base(nameof(InvertedResidual))
    {
        _hasShortcut = stride == 1 && inputs == outputs;
        var activation = Activation.Named(activationName);
        var expanded = ChannelRounding.ToMultiple((int)Math.Round(inputs * expandRatio, MidpointRounding.ToEven), WidthDivisor);
        _units.Add(ConvolutionUnit.Add(this, ResNetBlock.NamesOf("expand_1x1"), inputs, expanded, new ConvolutionOptions(1), activation));
        _units.Add(ConvolutionUnit.Add(this, ResNetBlock.NamesOf("conv_3x3"), expanded, expanded, ConvolutionOptions.Centered(3, stride, expanded, dilation), activation));
        _units.Add(ConvolutionUnit.Add(this, ResNetBlock.NamesOf("reduce_1x1"), expanded, outputs, new ConvolutionOptions(1), activation: null));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _units[2].Forward(_units[1].Forward(_units[0].Forward(input)));
        return (_hasShortcut ? x.Plus_(input) : x).MoveToOuterDisposeScope();
    }
}

/// <summary>A stage of a MobileViT with a transformer: local features by convolution, global ones between patches, joined.</summary>
/// <remarks>Source: transformers <c>MobileViTLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class MobileVitBlock : Layer
{
    private readonly InvertedResidual _downsampling;
    private readonly ConvolutionUnit _local;
    private readonly Convolution _project;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _norm;
    private readonly ConvolutionUnit _back;
    private readonly ConvolutionUnit _fusion;
    private readonly long _side;

    public MobileVitBlock(MobileVitOptions options, int index, int depth, int dilation)
        : base(nameof(MobileVitBlock))
    {
        _side = options.PatchSize;
        var (inputs, outputs, width) = (options.NeckWidths[index + 2], options.NeckWidths[index + 3], options.Widths[index]);
        var (activation, kernel) = (Activation.Named(options.Activation), ConvolutionOptions.Centered(options.KernelSize));
        _downsampling = Add("downsampling_layer", new InvertedResidual(
            options.Activation, options.ExpandRatio, inputs, outputs, dilation == 1 ? 2 : 1, Math.Max(1, dilation / 2)));
        _local = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("conv_kxk"), outputs, outputs, kernel, activation);
        _project = Add("conv_1x1.convolution", new Convolution(outputs, width, new ConvolutionOptions(1) { HasBias = false }));
        var transformer = options.Transformer with { Width = width, HiddenWidth = (int)(width * options.PerceptronRatio) };
        for (var i = 0; i < depth; i++)
        {
            _blocks.Add(Add($"transformer.layer.{i}", new TransformerBlock(transformer, VitNetwork.BlockNames)));
        }

        _norm = Add("layernorm", new LayerNormalization(width, options.Transformer.Epsilon));
        _back = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("conv_projection"), width, outputs, new ConvolutionOptions(1), activation);
        _fusion = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("fusion"), 2 * outputs, outputs, kernel, activation);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <param name="trace">Takes the blocks' attention; null keeps none.</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var residual = _downsampling.Forward(input);                                            // [B, C', H', W']
        var x = _project.Forward(_local.Forward(residual));                                     // [B, D, H', W']
        var (height, width) = (x.shape[2], x.shape[3]);
        var (rows, columns) = ((height + _side - 1) / _side, (width + _side - 1) / _side);
        var isStretched = (rows * _side, columns * _side) != (height, width);
        x = isStretched ? x.Resize((rows * _side, columns * _side), InterpolationMode.Bilinear) : x;
        var tokens = x.Reshape(x.shape[0], x.shape[1], rows, _side, columns, _side)
            .Permute(0, 3, 5, 2, 4, 1).Reshape(-1, rows * columns, x.shape[1]);                 // [B P P, N, D]
        foreach (var block in _blocks)
        {
            tokens = block.Forward(tokens, trace);
        }

        x = _norm.Forward(tokens).Reshape(input.shape[0], _side, _side, rows, columns, -1)
            .Permute(0, 5, 3, 1, 4, 2).Reshape(input.shape[0], -1, rows * _side, columns * _side); // [B, D, H', W']
        x = isStretched ? x.Resize((height, width), InterpolationMode.Bilinear) : x;
        var joined = TensorShapes.Concat([residual, _back.Forward(x)], 1);                      // [B, 2 C', H', W']
        return _fusion.Forward(joined).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a MobileViT's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>MobileViTConfig</c>; the defaults are its own.</remarks>
internal sealed record MobileVitOptions
{
    private const int WidthCount = 3;
    private const int NeckCount = 7;
    private static readonly int[] _outputStrides = [8, 16, 32];

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or there are other stages than the network has.</exception>
    public MobileVitOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        Widths = configuration.WholeNumbers("hidden_sizes", 144, 192, 240);
        NeckWidths = configuration.WholeNumbers("neck_hidden_sizes", 16, 32, 64, 96, 128, 160, 640);
        PatchSize = configuration.WholeNumber("patch_size", 2);
        PerceptronRatio = configuration.Number("mlp_ratio", 2);
        ExpandRatio = configuration.Number("expand_ratio", 4);
        Activation = configuration.Text("hidden_act", "silu");
        KernelSize = configuration.WholeNumber("conv_kernel_size", 3);
        OutputStride = configuration.WholeNumber("output_stride", 32);
        HeadDropout = configuration.Number("classifier_dropout_prob", 0.1);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        OptionChecks.Positive(("patch_size", PatchSize), ("conv_kernel_size", KernelSize));
        if (Widths.Count != WidthCount || NeckWidths.Count != NeckCount)
        {
            throw new ModelLoadException($"hidden_sizes has {Widths.Count} and neck_hidden_sizes {NeckWidths.Count} entries; expected {WidthCount} and {NeckCount}.");
        }

        if (!_outputStrides.Contains(OutputStride))
        {
            throw new ModelLoadException(Invariant($"output_stride is {OutputStride}, expected {string.Join(" or ", _outputStrides)}."));
        }

        var heads = configuration.WholeNumber("num_attention_heads", 4);
        foreach (var width in Widths)
        {
            OptionChecks.Heads(width, heads);
        }

        Transformer = TransformerOptions.Bare(Widths[0], heads) with
        {
            Activation = Activation,
            HiddenDropout = configuration.Number("hidden_dropout_prob", 0.1),
            AttentionDropout = configuration.Number("attention_probs_dropout_prob", 0),
            Epsilon = configuration.Number("layer_norm_eps", 1e-5),
            HasQueryBias = configuration.Flag("qkv_bias", true),
            HasValueBias = configuration.Flag("qkv_bias", true),
            HasKeyBias = configuration.Flag("qkv_bias", true),
        };
    }

    public int Channels { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> NeckWidths { get; }

    public int PatchSize { get; }

    public double PerceptronRatio { get; }

    public double ExpandRatio { get; }

    public string Activation { get; }

    public int KernelSize { get; }

    public int OutputStride { get; }

    public double HeadDropout { get; }

    public double InitializerRange { get; }

    /// <summary>The options of the transformers' blocks; each stage has a width of its own.</summary>
    public TransformerOptions Transformer { get; }
}
