using System.Globalization;

namespace Vizsla.Models.Swin;

/// <summary>The names of a Swin's weights in its file.</summary>
/// <remarks>Source: transformers <c>modeling_swin.py</c>.</remarks>
internal static class SwinNames
{
    public const string ModelType = "swin";
    public const string ClassName = "SwinForImageClassification";
    public const string BasePrefix = "swin.";
    public const string Positions = "swin.embeddings.position_embeddings";
    public const string Patches = "swin.embeddings.patch_embeddings.projection";
    public const string FirstNorm = "swin.embeddings.norm";
    public const string LastNorm = "swin.layernorm";
    public const string Classifier = "classifier";

    /// <summary>End of the names of index buffers that files of transformers 4 hold and those of 5 do not; they follow from the configuration.</summary>
    public const string DerivedIndex = "relative_position_index";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static string Block(int stage, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"swin.encoder.layers.{stage}.blocks.{index}");

    public static string Merging(int stage) => string.Create(CultureInfo.InvariantCulture, $"swin.encoder.layers.{stage}.downsample");
}
