using Vizsla.Studio.Predictions;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests;

/// <summary>A small real classifier with random weights, saved in a folder.</summary>
internal static class SmallModel
{
    public static IReadOnlyList<string> Labels { get; } = ["butterfly", "fish", "giraffe", "rabbit", "snake", "spider"];

    /// <summary>Writes the model's files.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="architecture">The architecture's name.</param>
    /// <param name="imageSize">Side of the pictures it takes.</param>
    public static string Save(string folder, string architecture = "vit-tiny", int imageSize = 32)
    {
        using var classifier = ImageClassifier.Create(architecture, Labels, imageSize, seed: 3);
        classifier.Save(folder);
        return folder;
    }
}
