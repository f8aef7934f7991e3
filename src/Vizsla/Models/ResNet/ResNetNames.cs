using System.Globalization;

namespace Vizsla.Models.ResNet;

/// <summary>The names of a ResNet's weights in a file of transformers.</summary>
/// <remarks>Source: transformers <c>modeling_resnet.py</c>.</remarks>
internal static class ResNetNames
{
    public const string ModelType = "resnet";
    public const string ClassName = "ResNetForImageClassification";
    public const string BasePrefix = "resnet.";
    public const string Stem = "resnet.embedder.embedder";
    public const string Classifier = "classifier.1";

    public static IReadOnlyList<string> Head { get; } = ["classifier.1.weight", "classifier.1.bias"];

    public static string Layer(int stage, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"resnet.encoder.stages.{stage}.layers.{index}");
}
