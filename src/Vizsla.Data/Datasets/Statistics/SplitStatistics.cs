namespace Vizsla.Datasets.Statistics;

/// <summary>What a split holds.</summary>
/// <param name="Split">Its name.</param>
/// <param name="Count">Number of rows.</param>
/// <param name="Classes">Rows of each class, in the order of their numbers; empty without a label column.</param>
/// <param name="Formats">Pictures of each format and mode (<c>JPEG RGB</c>), the most frequent first.</param>
/// <param name="Sizes">Pictures of each width and height in pixels, upright, the most frequent first.</param>
/// <param name="Bytes">Sum of the lengths of the encoded pictures.</param>
/// <param name="UnreadableCount">Pictures whose headers cannot be read; they are in no other number but <paramref name="Count"/> and <paramref name="Classes"/>.</param>
public sealed record SplitStatistics(
    string Split,
    int Count,
    IReadOnlyList<KeyValuePair<string, int>> Classes,
    IReadOnlyList<KeyValuePair<string, int>> Formats,
    IReadOnlyList<KeyValuePair<(int Width, int Height), int>> Sizes,
    long Bytes,
    int UnreadableCount)
{
    /// <summary>Widths in pixels.</summary>
    public Spread Width => Spread.Of(Sizes.SelectMany(s => Enumerable.Repeat(s.Key.Width, s.Value)));

    /// <summary>Heights in pixels.</summary>
    public Spread Height => Spread.Of(Sizes.SelectMany(s => Enumerable.Repeat(s.Key.Height, s.Value)));

    /// <summary>Rows of a class.</summary>
    public Spread ClassSize => Spread.Of(Classes.Select(c => c.Value));
}
