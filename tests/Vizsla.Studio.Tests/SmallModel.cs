using Vizsla.Studio.Predictions;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests;

/// <summary>A small real classifier with drawn weights, saved in a folder.</summary>
internal static class SmallModel
{
    public static IReadOnlyList<string> Labels { get; } = ["butterfly", "fish", "giraffe", "rabbit", "snake", "spider"];

    /// <summary>Writes the model's files.</summary>
    public static string Save(string folder)
    {
        using var classifier = ImageClassifier.Create("vit-tiny", Labels, imageSize: 32, seed: 3);
        classifier.Save(folder);
        return folder;
    }
}
