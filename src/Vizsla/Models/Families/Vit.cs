using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, P leading tokens (the class token; I-JEPA has none), N tokens (those and the patches), D width, L labels.

/// <summary>The Vision Transformer with a linear head on its class token, and its like: ViT-MSN, and I-JEPA, whose head is on the mean of the patches.</summary>
/// <remarks>
/// Source: transformers <c>ViTForImageClassification</c>, <c>ViTMSNForImageClassification</c>, <c>IJepaForImageClassification</c>.
/// Parity: logits, hidden states and gradients 1e-5; initial weights of a ViT equal to those of 4.57 for the same seed.
/// </remarks>
internal sealed class VitNetwork : TransformersNetwork
{
    public const string ModelType = "vit";
    public const string Name = "ViTForImageClassification";
    public const string MaeType = "vit_mae";
    public const string MsnType = "vit_msn";
    public const string MsnName = "ViTMSNForImageClassification";
    public const string IJepaType = "ijepa";
    public const string IJepaName = "IJepaForImageClassification";

    private readonly TransformerOptions _options;
    private readonly ParameterSlot? _classToken;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    // transformers 5 writes the blocks of a ViT-MSN without their first name; a file that has them so keeps them so.
    private bool _savesShortNames;

    public VitNetwork(ModelConfiguration configuration)
        : this(configuration, Name, "vit.", new TransformerOptions(configuration))
    {
    }

    private VitNetwork(ModelConfiguration configuration, string className, string prefix, TransformerOptions options)
        : base(configuration, className, prefix)
    {
        _options = options;
        var hasClassToken = className != IJepaName;
        _classToken = hasClassToken ? AddParameter(prefix + "embeddings.cls_token", 1, 1, options.Width) : null;
        _positions = AddParameter(prefix + "embeddings.position_embeddings", 1, options.PatchCount + (hasClassToken ? 1 : 0), options.Width);
        _patches = Add(prefix + "embeddings.patch_embeddings.projection", options.PatchProjection());
        for (var i = 0; i < options.LayerCount; i++)
        {
            _blocks.Add(Add($"{prefix}encoder.layer.{i}", new TransformerBlock(options, BlockNames)));
        }

        _last = Add(prefix + "layernorm", new LayerNormalization(options.Width, options.Epsilon));
        AddHead("classifier", options.Width);
    }

    /// <summary>The parts of a block under the names of the file, in its order.</summary>
    public static IReadOnlyList<(BlockPart, string)> BlockNames { get; } =
    [
        (BlockPart.Query, "attention.attention.query"),
        (BlockPart.Key, "attention.attention.key"),
        (BlockPart.Value, "attention.attention.value"),
        (BlockPart.Output, "attention.output.dense"),
        (BlockPart.Widen, "intermediate.dense"),
        (BlockPart.Narrow, "output.dense"),
        (BlockPart.FirstNorm, "layernorm_before"),
        (BlockPart.SecondNorm, "layernorm_after"),
    ];

    /// <summary>The sizes that start from random weights: a nano for small pictures and few cores, then those of the papers.</summary>
    /// <remarks>Source: "Training data-efficient image transformers" (tiny, small), "An Image is Worth 16x16 Words" (base).</remarks>
    public static IReadOnlyDictionary<string, Func<int?, ModelConfiguration>> Variants { get; } = new Dictionary<string, Func<int?, ModelConfiguration>>
    {
        ["vit-nano"] = imageSize => Variant(96, 4, 3, imageSize ?? 64, 8),
        ["vit-tiny"] = imageSize => Variant(192, 12, 3, imageSize ?? 224, 16),
        ["vit-small"] = imageSize => Variant(384, 12, 6, imageSize ?? 224, 16),
        ["vit-base"] = imageSize => Variant(768, 12, 12, imageSize ?? 224, 16),
    };

    internal override bool CanDropPatches => true;

    internal override bool AttendsGlobally => true;

    private int LeadingTokens => _classToken is null ? 0 : 1;

    /// <summary>ViT-MSN.</summary>
    public static VitNetwork Msn(ModelConfiguration configuration) => new(configuration, MsnName, "vit.", new TransformerOptions(configuration, epsilon: 1e-6));

    /// <summary>I-JEPA.</summary>
    public static VitNetwork IJepa(ModelConfiguration configuration) => new(configuration, IJepaName, "ijepa.", new TransformerOptions(configuration));

    /// <summary>The encoder of a masked autoencoder, which is a ViT to start from: it has no head of its own, and is saved as a ViT.</summary>
    public static VitNetwork Mae(ModelConfiguration configuration)
    {
        var own = configuration.Clone();
        own.Set("model_type", ModelType);
        return new VitNetwork(own);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, _classToken is null ? [] : [1]);
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens, trace), trace);        // [B, N, D]
        x = _last.Forward(x);                                                                   // [B, N, D]
        return (_classToken is null ? x.Mean([1]) : x.Select(1, 0)).MoveToOuterDisposeScope();  // [B, D]
    }

    internal override void KeepExtras(IReadOnlyCollection<string> names) =>
        _savesShortNames = ClassName == MsnName && names.Any(n => n.StartsWith("encoder.layer.", StringComparison.Ordinal)) && names.Contains("vit.embeddings.cls_token");

    protected override void ResetConstructed(IReadOnlyList<Layer> backbone)
    {
        WeightInitialization.Normal(_classToken?.Value, 1);
        _patches.ResetParameters();
        WeightInitialization.Normal(_positions.Value, 1);
        base.ResetConstructed([.. backbone.Where(l => l != _patches)]);
    }

    protected override void SkipConstructed()
    {
        if (ClassName == Name)
        {
            WeightInitialization.Skip([1, 1, _options.Width]);
        }

        if (ClassName != MsnName)
        {
            WeightInitialization.Skip([1, _options.PatchCount + LeadingTokens, _options.Width]);
        }
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (ClassName == MsnName)
        {
            InitializeNormal(layer, _options.InitializerRange);
        }
        else
        {
            InitializeTruncatedNormal(layer, _options.InitializerRange);
        }

        if (layer == _patches && ClassName == MsnName)
        {
            WeightInitialization.Fill(_positions.Value, 0);
            WeightInitialization.Fill(_classToken?.Value, 0);
        }
        else if (layer == _patches)
        {
            WeightInitialization.TruncatedNormal(_positions.Value, _options.InitializerRange);
            WeightInitialization.TruncatedNormal(_classToken?.Value, _options.InitializerRange);
        }
    }

    private protected override string SavedName(string name) =>
        _savesShortNames && name.StartsWith("vit.encoder.layer.", StringComparison.Ordinal) ? name["vit.".Length..] : name;

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                            // [B, N - P, D]
        if (_classToken is { } token)
        {
            x = TensorShapes.Concat([token.Value.Expand(pixels.shape[0], -1, -1), x], 1);       // [B, N, D]
        }

        x = x.Plus(PositionEmbeddings.For(
            _positions.Value, LeadingTokens, (pixels.shape[2], pixels.shape[3]), _options.ImageSize, _options.PatchSize, InterpolatesPositions));
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, LeadingTokens, PatchDropRate, training, PatchNoise).MoveToOuterDisposeScope();
    }

    private static ModelConfiguration Variant(int width, int layers, int heads, int imageSize, int patch) => new(new JsonObject
    {
        ["architectures"] = new JsonArray(Name),
        ["attention_probs_dropout_prob"] = 0.0,
        ["dtype"] = "float32",
        ["encoder_stride"] = 16,
        ["hidden_act"] = "gelu",
        ["hidden_dropout_prob"] = 0.0,
        ["hidden_size"] = width,
        ["image_size"] = imageSize,
        ["initializer_range"] = 0.02,
        ["intermediate_size"] = 4 * width,
        ["layer_norm_eps"] = 1e-12,
        ["model_type"] = ModelType,
        ["num_attention_heads"] = heads,
        ["num_channels"] = 3,
        ["num_hidden_layers"] = layers,
        ["patch_size"] = patch,
        ["pooler_act"] = "tanh",
        ["pooler_output_size"] = width,
        ["qkv_bias"] = true,
        ["transformers_version"] = ModelConfiguration.WrittenVersion,
    });
}
