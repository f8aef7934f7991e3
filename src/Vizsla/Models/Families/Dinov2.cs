using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, P leading tokens (the class token and the registers), N tokens (P and the patches), D width, L labels.

/// <summary>DINOv2, with or without register tokens, and a linear head on its class token and the mean of its patches.</summary>
/// <remarks>
/// Position embeddings are always stretched to the picture.
/// Source: transformers <c>Dinov2ForImageClassification</c>, <c>Dinov2WithRegistersForImageClassification</c>. Parity: 1e-5.
/// </remarks>
internal sealed class Dinov2Network : TransformersNetwork
{
    public const string ModelType = "dinov2";
    public const string Name = "Dinov2ForImageClassification";

    // The parts of a block under the names of the file, in its order.
    private static readonly (BlockPart, string)[] _names =
    [
        (BlockPart.FirstNorm, "norm1"),
        (BlockPart.Query, "attention.attention.query"),
        (BlockPart.Key, "attention.attention.key"),
        (BlockPart.Value, "attention.attention.value"),
        (BlockPart.Output, "attention.output.dense"),
        (BlockPart.FirstScale, "layer_scale1.lambda1"),
        (BlockPart.SecondNorm, "norm2"),
        (BlockPart.Widen, "mlp.fc1"),
        (BlockPart.Narrow, "mlp.fc2"),
        (BlockPart.SecondScale, "layer_scale2.lambda1"),
    ];

    private readonly Dinov2Options _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot? _maskToken;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    public Dinov2Network(ModelConfiguration configuration)
        : base(configuration, Name, "dinov2.")
    {
        _options = new Dinov2Options(configuration);
        _classToken = AddParameter("dinov2.embeddings.cls_token", 1, 1, _options.Width);
        _maskToken = _options.HasMaskToken ? AddParameter("dinov2.embeddings.mask_token", 1, _options.Width) : null;
        _positions = AddParameter("dinov2.embeddings.position_embeddings", 1, _options.PatchCount + 1, _options.Width);
        _patches = Add("dinov2.embeddings.patch_embeddings.projection", _options.PatchProjection());
        var names = _names.Select(n => (n.Item1, _options.IsGated ? n.Item2.Replace("fc1", "weights_in", StringComparison.Ordinal).Replace("fc2", "weights_out", StringComparison.Ordinal) : n.Item2)).ToList();
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _blocks.Add(Add($"dinov2.encoder.layer.{i}", new TransformerBlock(_options, names, _options.DropPath)));
        }

        _last = Add("dinov2.layernorm", new LayerNormalization(_options.Width, _options.Epsilon));
        AddHead("classifier", 2 * _options.Width);
    }

    internal override bool CanDropPatches => true;

    internal override bool AttendsGlobally => true;

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width);

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, 0.5);
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens, trace), trace);        // [B, N, D]
        x = _last.Forward(x);                                                                   // [B, N, D]
        var patches = x.Narrow(1, 1, x.shape[1] - 1).Mean([1]);                                 // [B, D]
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
            _positions.Value, 1, (pixels.shape[2], pixels.shape[3]), _options.PatchSize);       // [1, N, D]
        var x = TensorShapes.Concat([token, patches], 1).Plus(positions);                       // [B, N, D]
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, 1, PatchDropRate, training).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a DINOv2's <c>config.json</c> beside those that all transformers share.</summary>
/// <remarks>Source: transformers <c>Dinov2Config</c>; the defaults are its own.</remarks>
internal sealed record Dinov2Options : TransformerOptions
{
    public Dinov2Options(ModelConfiguration configuration)
        : base(configuration, epsilon: 1e-6, patchSize: 14)
    {
        IsGated = configuration.Flag("use_swiglu_ffn", false);
        HasMaskToken = configuration.Flag("use_mask_token", true);
        DropPath = configuration.Number("drop_path_rate", 0);
        LayerScale = configuration.Number("layerscale_value", 1);
        DropsAfterPerceptron = false;

        // A gated perceptron is two thirds as wide, rounded up to a multiple of 8.
        var hidden = (int)(Width * configuration.Number("mlp_ratio", 4));
        HiddenWidth = IsGated ? ((hidden * 2 / 3) + 7) / 8 * 8 : hidden;
    }

    public bool HasMaskToken { get; }

    public double DropPath { get; }
}
