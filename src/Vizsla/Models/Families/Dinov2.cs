using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, P leading tokens (the class token and the registers, where there are any), N tokens (P and the patches), D width, L labels.

/// <summary>DINOv2, with or without register tokens, and a linear head on its class token and the mean of its patches.</summary>
/// <remarks>
/// Position embeddings are always stretched to the picture.
/// Source: transformers <c>Dinov2ForImageClassification</c>, <c>Dinov2WithRegistersForImageClassification</c>. Parity: 1e-5.
/// </remarks>
internal sealed class Dinov2Network : TransformersNetwork
{
    public const string ModelType = "dinov2";
    public const string Name = "Dinov2ForImageClassification";
    public const string RegistersType = "dinov2_with_registers";
    public const string RegistersName = "Dinov2WithRegistersForImageClassification";

    private readonly Dinov2Options _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot? _maskToken;
    private readonly ParameterSlot _positions;
    private readonly ParameterSlot? _registers;
    private readonly Convolution _patches;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    public Dinov2Network(ModelConfiguration configuration)
        : this(configuration, Name, "dinov2.", new Dinov2Options(configuration, hasRegisters: false))
    {
    }

    private Dinov2Network(ModelConfiguration configuration, string className, string prefix, Dinov2Options options)
        : base(configuration, className, prefix)
    {
        _options = options;
        _classToken = AddParameter(prefix + "embeddings.cls_token", 1, 1, options.Width);
        _maskToken = options.HasMaskToken ? AddParameter(prefix + "embeddings.mask_token", 1, options.Width) : null;
        _positions = AddParameter(prefix + "embeddings.position_embeddings", 1, options.PatchCount + 1, options.Width);
        _registers = options.RegisterCount > 0 ? AddParameter(prefix + "embeddings.register_tokens", 1, options.RegisterCount, options.Width) : null;
        _patches = Add(prefix + "embeddings.patch_embeddings.projection", options.PatchProjection());
        for (var i = 0; i < options.LayerCount; i++)
        {
            _blocks.Add(Add($"{prefix}encoder.layer.{i}", new TransformerBlock(options, Names(options.IsGated), options.DropPath)));
        }

        _last = Add(prefix + "layernorm", new LayerNormalization(options.Width, options.Epsilon));
        AddHead("classifier", 2 * options.Width);
    }

    internal override bool CanDropPatches => true;

    internal override bool AttendsGlobally => true;

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width);

    private int LeadingTokens => 1 + _options.RegisterCount;

    /// <summary>DINOv2 with register tokens between the class token and the patches.</summary>
    public static Dinov2Network WithRegisters(ModelConfiguration configuration) =>
        new(configuration, RegistersName, "dinov2_with_registers.", new Dinov2Options(configuration, hasRegisters: true));

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, [0.5, .. new double[_options.RegisterCount]]);
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens, trace), trace);        // [B, N, D]
        x = _last.Forward(x);                                                                   // [B, N, D]
        var patches = x.Narrow(1, LeadingTokens, x.shape[1] - LeadingTokens).Mean([1]);         // [B, D]
        return TensorShapes.Concat([x.Select(1, 0), patches], 1).MoveToOuterDisposeScope();     // [B, 2 D]
    }

    protected override void ResetConstructed(IReadOnlyList<Layer> backbone)
    {
        WeightInitialization.Normal(_classToken.Value, 1);
        _patches.ResetParameters();
        WeightInitialization.Normal(_positions.Value, 1);
        base.ResetConstructed([.. backbone.Where(l => l != _patches)]);
    }

    protected override void SkipConstructed() => WeightInitialization.Skip([1, 1, _options.Width], [1, _options.PatchCount + 1, _options.Width]);

    protected override void InitializeLayer(Layer layer)
    {
        InitializeTruncatedNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            WeightInitialization.TruncatedNormal(_positions.Value, _options.InitializerRange);
            WeightInitialization.TruncatedNormal(_classToken.Value, _options.InitializerRange);
            WeightInitialization.Fill(_maskToken?.Value, 0);
            WeightInitialization.Fill(_registers?.Value, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.Expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var positions = PositionEmbeddings.Stretched(
            _positions.Value, 1, (pixels.shape[2], pixels.shape[3]), _options.PatchSize, antialiases: _registers is not null); // [1, 1 + patches, D]
        var x = TensorShapes.Concat([token, patches], 1).Plus(positions);                       // [B, 1 + patches, D]
        if (_registers is { } registers)
        {
            var added = registers.Value.Expand(pixels.shape[0], -1, -1);                        // [B, P - 1, D]
            x = TensorShapes.Concat([x.Narrow(1, 0, 1), added, x.Narrow(1, 1, x.shape[1] - 1)], 1); // [B, N, D]
        }

        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, LeadingTokens, PatchDropRate, training, PatchNoise).MoveToOuterDisposeScope();
    }

    /// <summary>The parts of a block under the names of the file, in its order.</summary>
    private static (BlockPart, string)[] Names(bool isGated) =>
    [
        (BlockPart.FirstNorm, "norm1"),
        (BlockPart.Query, "attention.attention.query"),
        (BlockPart.Key, "attention.attention.key"),
        (BlockPart.Value, "attention.attention.value"),
        (BlockPart.Output, "attention.output.dense"),
        (BlockPart.FirstScale, "layer_scale1.lambda1"),
        (BlockPart.SecondNorm, "norm2"),
        (BlockPart.Widen, isGated ? "mlp.weights_in" : "mlp.fc1"),
        (BlockPart.Narrow, isGated ? "mlp.weights_out" : "mlp.fc2"),
        (BlockPart.SecondScale, "layer_scale2.lambda1"),
    ];
}

/// <summary>The keys of a DINOv2's <c>config.json</c> beside those that all transformers share.</summary>
/// <remarks>Source: transformers <c>Dinov2Config</c>; the defaults are its own.</remarks>
internal sealed record Dinov2Options : TransformerOptions
{
    public Dinov2Options(ModelConfiguration configuration, bool hasRegisters)
        : base(configuration, epsilon: 1e-6, patchSize: 14)
    {
        IsGated = configuration.Flag("use_swiglu_ffn", false);
        HasMaskToken = hasRegisters || configuration.Flag("use_mask_token", true);
        RegisterCount = hasRegisters ? configuration.WholeNumber("num_register_tokens", 4) : 0;
        DropPath = configuration.Number("drop_path_rate", 0);
        LayerScale = configuration.Number("layerscale_value", 1);
        DropsAfterPerceptron = false;

        // A gated perceptron is two thirds as wide, rounded up to a multiple of 8.
        var hidden = (int)(Width * configuration.Number("mlp_ratio", 4));
        HiddenWidth = IsGated ? ((hidden * 2 / 3) + 7) / 8 * 8 : hidden;
    }

    public bool HasMaskToken { get; }

    public int RegisterCount { get; }

    public double DropPath { get; }
}
