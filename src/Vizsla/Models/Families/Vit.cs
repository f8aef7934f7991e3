using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, N tokens (the class token and the patches), D width, L labels.

/// <summary>The Vision Transformer with a linear head on its class token.</summary>
/// <remarks>
/// Source: transformers <c>ViTForImageClassification</c>. Parity: logits, hidden states and gradients 1e-5; initial weights equal to those of 4.57 for the same seed.
/// </remarks>
internal sealed class VitNetwork : TransformersNetwork
{
    public const string ModelType = "vit";
    public const string Name = "ViTForImageClassification";

    private readonly TransformerOptions _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    public VitNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "vit.")
    {
        _options = new TransformerOptions(configuration);
        _classToken = AddParameter("vit.embeddings.cls_token", 1, 1, _options.Width);
        _positions = AddParameter("vit.embeddings.position_embeddings", 1, _options.PatchCount + 1, _options.Width);
        _patches = Add("vit.embeddings.patch_embeddings.projection", _options.PatchProjection());
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _blocks.Add(Add($"vit.encoder.layer.{i}", new TransformerBlock(_options, BlockNames)));
        }

        _last = Add("vit.layernorm", new LayerNormalization(_options.Width, _options.Epsilon));
        AddHead("classifier", _options.Width);
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

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, 1);
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens, trace), trace);        // [B, N, D]
        return _last.Forward(x).Select(1, 0).MoveToOuterDisposeScope();                         // [B, D]
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
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.Expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var positions = PositionEmbeddings.For(
            _positions.Value, 1, (pixels.shape[2], pixels.shape[3]), _options.ImageSize, _options.PatchSize, InterpolatesPositions);
        var x = TensorShapes.Concat([token, patches], 1).Plus(positions);                       // [B, N, D]
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, 1, PatchDropRate, training).MoveToOuterDisposeScope();
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
