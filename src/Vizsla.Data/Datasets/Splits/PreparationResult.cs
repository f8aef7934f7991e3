using Vizsla.Datasets.Checks;

namespace Vizsla.Datasets.Splits;

/// <summary>What a preparation made.</summary>
/// <param name="Output">The folder, an ImageFolder with a <c>split.json</c>.</param>
/// <param name="Manifest">What <c>split.json</c> says.</param>
/// <param name="MissingSkipped">Ids whose picture is missing, left out as asked.</param>
/// <param name="BadSkipped">Pictures that cannot be read, left out as asked.</param>
/// <param name="UnlabeledCount">Pictures in the folder that the label file does not mention, left where they are.</param>
/// <param name="Copies">Paths of each group of pictures of the same content or look, kept in one split as asked.</param>
public sealed record PreparationResult(
    string Output, SplitManifest Manifest, IReadOnlyList<string> MissingSkipped, IReadOnlyList<BadImage> BadSkipped, int UnlabeledCount, IReadOnlyList<IReadOnlyList<string>> Copies)
{
    /// <summary>What was done to labels (blanks, forms of Unicode), and which look like missing values; one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Photos in the folder that are in no split, by reason; those without a row are in <see cref="UnlabeledCount"/>.</summary>
    public IReadOnlyList<LeftOut> LeftOut { get; init; } = [];

    /// <summary>Number of pictures of a split; 0 for a split that was not made.</summary>
    /// <param name="split"><c>train</c>, <c>validation</c> or <c>test</c>.</param>
    public int Count(string split) => Manifest.Splits.TryGetValue(split, out var files) ? files.Count : 0;
}

/// <summary>How far a preparation is.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Done">Pictures done in this phase.</param>
/// <param name="Total">Pictures of this phase.</param>
public readonly record struct PreparationProgress(PreparationPhase Phase, int Done, int Total);

/// <summary>What a preparation does, in order.</summary>
public enum PreparationPhase
{
    /// <summary>Every picture is decoded once.</summary>
    Check,

    /// <summary>Pictures are copied or linked.</summary>
    Copy,
}
