using System.Globalization;

namespace Vizsla.Models.Dinov2;

/// <summary>The names of a DINOv2's weights in its file.</summary>
/// <remarks>Source: transformers <c>modeling_dinov2.py</c>.</remarks>
internal static class Dinov2Names
{
    public const string ModelType = "dinov2";
    public const string ClassName = "Dinov2ForImageClassification";
    public const string BasePrefix = "dinov2.";
    public const string ClassToken = "dinov2.embeddings.cls_token";
    public const string MaskToken = "dinov2.embeddings.mask_token";
    public const string Positions = "dinov2.embeddings.position_embeddings";
    public const string Patches = "dinov2.embeddings.patch_embeddings.projection";
    public const string LastNorm = "dinov2.layernorm";
    public const string Classifier = "classifier";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static string Layer(int index) => string.Create(CultureInfo.InvariantCulture, $"dinov2.encoder.layer.{index}");
}
