using System.Globalization;

namespace Vizsla.Models.MobileNetV2;

/// <summary>The names of a MobileNetV2's weights in a file of transformers.</summary>
/// <remarks>Source: transformers <c>modeling_mobilenet_v2.py</c>.</remarks>
internal static class MobileNetV2Names
{
    public const string ModelType = "mobilenet_v2";
    public const string ClassName = "MobileNetV2ForImageClassification";
    public const string BasePrefix = "mobilenet_v2.";
    public const string Stem = "mobilenet_v2.conv_stem";
    public const string Last = "mobilenet_v2.conv_1x1";
    public const string Classifier = "classifier";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static string Layer(int index) => string.Create(CultureInfo.InvariantCulture, $"mobilenet_v2.layer.{index}");
}
