using System.Globalization;

namespace Vizsla.Models.EfficientNet;

/// <summary>The names of an EfficientNet's weights in a file of transformers.</summary>
/// <remarks>Source: transformers <c>modeling_efficientnet.py</c>.</remarks>
internal static class EfficientNetNames
{
    public const string ModelType = "efficientnet";
    public const string ClassName = "EfficientNetForImageClassification";
    public const string BasePrefix = "efficientnet.";
    public const string StemConvolution = "efficientnet.embeddings.convolution";
    public const string StemNorm = "efficientnet.embeddings.batchnorm";
    public const string LastConvolution = "efficientnet.encoder.top_conv";
    public const string LastNorm = "efficientnet.encoder.top_bn";
    public const string Classifier = "classifier";

    public static IReadOnlyList<string> Head { get; } = ["classifier.weight", "classifier.bias"];

    public static string Block(int index) => string.Create(CultureInfo.InvariantCulture, $"efficientnet.encoder.blocks.{index}");
}
