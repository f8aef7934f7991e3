using System.Globalization;

namespace Vizsla.Models.ConvNext;

/// <summary>The names of a ConvNeXt's weights in its file.</summary>
/// <remarks>Source: transformers <c>modeling_convnext.py</c>.</remarks>
internal static class ConvNextNames
{
    public const string ModelType = "convnext";
    public const string ClassName = "ConvNextForImageClassification";
    public const string BasePrefix = "convnext.";
    public const string Patches = "convnext.embeddings.patch_embeddings";
    public const string FirstNorm = "convnext.embeddings.layernorm";
    public const string LastNorm = "convnext.layernorm";
    public const string Classifier = "classifier";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static string Layer(int stage, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"convnext.encoder.stages.{stage}.layers.{index}");

    public static string DownsamplingNorm(int stage) =>
        string.Create(CultureInfo.InvariantCulture, $"convnext.encoder.stages.{stage}.downsampling_layer.0");

    public static string Downsampling(int stage) =>
        string.Create(CultureInfo.InvariantCulture, $"convnext.encoder.stages.{stage}.downsampling_layer.1");
}
