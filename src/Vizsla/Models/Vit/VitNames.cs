using System.Globalization;

namespace Vizsla.Models.Vit;

/// <summary>The names of a ViT's weights in its file.</summary>
/// <remarks>Source: transformers <c>modeling_vit.py</c>.</remarks>
internal static class VitNames
{
    public const string ModelType = "vit";
    public const string ClassName = "ViTForImageClassification";
    public const string BasePrefix = "vit.";
    public const string ClassToken = "vit.embeddings.cls_token";
    public const string Positions = "vit.embeddings.position_embeddings";
    public const string Patches = "vit.embeddings.patch_embeddings.projection";
    public const string LastNorm = "vit.layernorm";
    public const string Classifier = "classifier";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static string Layer(int index) => string.Create(CultureInfo.InvariantCulture, $"vit.encoder.layer.{index}");
}
