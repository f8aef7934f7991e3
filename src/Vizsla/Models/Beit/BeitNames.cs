using System.Globalization;

namespace Vizsla.Models.Beit;

/// <summary>The names of a BEiT's weights in its file.</summary>
/// <remarks>Source: transformers <c>modeling_beit.py</c>.</remarks>
internal static class BeitNames
{
    public const string ModelType = "beit";
    public const string ClassName = "BeitForImageClassification";
    public const string BasePrefix = "beit.";
    public const string ClassToken = "beit.embeddings.cls_token";
    public const string MaskToken = "beit.embeddings.mask_token";
    public const string Positions = "beit.embeddings.position_embeddings";
    public const string Patches = "beit.embeddings.patch_embeddings.projection";
    public const string SharedBias = "beit.encoder.relative_position_bias";
    public const string LastNorm = "beit.layernorm";
    public const string PoolerNorm = "beit.pooler.layernorm";
    public const string Classifier = "classifier";

    /// <summary>Part of the names of index buffers that old files hold; they follow from the configuration.</summary>
    public const string DerivedIndex = "relative_position_index";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static string Layer(int index) => string.Create(CultureInfo.InvariantCulture, $"beit.encoder.layer.{index}");
}
