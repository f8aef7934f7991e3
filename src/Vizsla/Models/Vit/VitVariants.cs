using System.Text.Json.Nodes;

namespace Vizsla.Models.Vit;

/// <summary>The sizes of Vision Transformers that start from random weights.</summary>
/// <remarks>Source: "Training data-efficient image transformers" (tiny, small), "An Image is Worth 16x16 Words" (base).</remarks>
internal static class VitVariants
{
    /// <summary>Configurations by name: a nano for small pictures and few cores, then the sizes of the papers.</summary>
    public static IReadOnlyDictionary<string, Func<int?, ModelConfiguration>> All { get; } = new Dictionary<string, Func<int?, ModelConfiguration>>
    {
        ["vit-nano"] = imageSize => Make(96, 4, 3, imageSize ?? 64, 8),
        ["vit-tiny"] = imageSize => Make(192, 12, 3, imageSize ?? 224, 16),
        ["vit-small"] = imageSize => Make(384, 12, 6, imageSize ?? 224, 16),
        ["vit-base"] = imageSize => Make(768, 12, 12, imageSize ?? 224, 16),
    };

    private static ModelConfiguration Make(int width, int layers, int heads, int imageSize, int patch) => new(new JsonObject
    {
        ["architectures"] = new JsonArray(VitNames.ClassName),
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
        ["model_type"] = VitNames.ModelType,
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
