using System.Globalization;

namespace Vizsla.Models.Deit;

/// <summary>The names of a DeiT's weights in its file.</summary>
/// <remarks>Source: transformers <c>modeling_deit.py</c>.</remarks>
internal static class DeitNames
{
    public const string ModelType = "deit";
    public const string ClassName = "DeiTForImageClassification";
    public const string TeacherClassName = "DeiTForImageClassificationWithTeacher";
    public const string BasePrefix = "deit.";
    public const string ClassToken = "deit.embeddings.cls_token";
    public const string Positions = "deit.embeddings.position_embeddings";
    public const string DistillationToken = "deit.embeddings.distillation_token";
    public const string Patches = "deit.embeddings.patch_embeddings.projection";
    public const string LastNorm = "deit.layernorm";
    public const string Classifier = "classifier";
    public const string ClassTokenClassifier = "cls_classifier";
    public const string DistillationClassifier = "distillation_classifier";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static IReadOnlyList<string> TeacherHead { get; } =
        ["cls_classifier.weight", "cls_classifier.bias", "distillation_classifier.weight", "distillation_classifier.bias"];

    public static string Layer(int index) => string.Create(CultureInfo.InvariantCulture, $"deit.encoder.layer.{index}");
}
