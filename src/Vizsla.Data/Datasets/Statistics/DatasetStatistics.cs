using System.Text.Json.Nodes;
using Vizsla.Imaging;

namespace Vizsla.Datasets.Statistics;

/// <summary>What a dataset holds: classes, sizes, formats, of each split.</summary>
/// <param name="Splits">The splits in order.</param>
public sealed record DatasetStatistics(IReadOnlyList<SplitStatistics> Splits)
{
    /// <summary>Reads the headers of every picture; pixels are not decoded.</summary>
    /// <param name="dataset">The splits.</param>
    /// <param name="progress">Receives the number of pictures done, from several threads; may be null.</param>
    /// <param name="cancellationToken">Stops between two pictures.</param>
    public static DatasetStatistics Measure(DatasetDict dataset, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var done = 0;
        return new([.. dataset.Select(s => Measure(s.Key, s.Value, () => progress?.Report(Interlocked.Increment(ref done)), cancellationToken))]);
    }

    private static SplitStatistics Measure(string split, ImageDataset rows, Action report, CancellationToken cancellationToken)
    {
        var seen = new (string Format, int Width, int Height, long Bytes)?[rows.Count];
        Parallel.For(0, rows.Count, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount }, row =>
        {
            seen[row] = Look(rows, row);
            report();
        });
        var whole = seen.OfType<(string Format, int Width, int Height, long Bytes)>().ToList();
        return new(
            split,
            rows.Count,
            rows.Features.ClassLabel is null ? [] : rows.ClassCounts(),
            [.. whole.CountBy(s => s.Format).OrderByDescending(f => f.Value).ThenBy(f => f.Key, StringComparer.Ordinal)],
            [.. whole.CountBy(s => (s.Width, s.Height)).OrderByDescending(s => s.Value).ThenBy(s => s.Key)],
            whole.Sum(s => s.Bytes),
            rows.Count - whole.Count);
    }

    private static (string Format, int Width, int Height, long Bytes)? Look(ImageDataset rows, int row)
    {
        try
        {
            var bytes = rows[row].ReadBytes();
            var info = ImageCodec.Identify(bytes.Span);

            // Orientations from 5 on lie on their side.
            var (width, height) = info.Orientation >= 5 ? (info.Height, info.Width) : (info.Width, info.Height);
            return ($"{info.Format} {info.Mode}", width, height, bytes.Length);
        }
        catch (Exception e) when (e is ImageFormatException or DatasetException)
        {
            return null;
        }
    }
}

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

/// <summary>How far numbers are apart.</summary>
/// <param name="Min">The smallest; 0 where there are no numbers.</param>
/// <param name="Median">The one in the middle, the lower of two.</param>
/// <param name="Max">The largest.</param>
public sealed record Spread(int Min, int Median, int Max)
{
    /// <summary>Measures numbers.</summary>
    /// <param name="values">The numbers.</param>
    public static Spread Of(IEnumerable<int> values)
    {
        int[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? new(0, 0, 0) : new(sorted[0], sorted[(sorted.Length - 1) / 2], sorted[^1]);
    }
}

/// <summary>Statistics as JSON, for programs.</summary>
internal static class StatisticsJson
{
    /// <summary>Writes statistics.</summary>
    /// <param name="statistics">What was measured.</param>
    /// <returns>An object with one object for each split: <c>pictures</c>, <c>unreadable</c>, <c>bytes</c>, <c>width</c> and <c>height</c> (<c>min</c>, <c>median</c>, <c>max</c>), <c>formats</c>, <c>sizes</c>, <c>classes</c>.</returns>
    public static JsonObject Write(DatasetStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        return new(statistics.Splits.Select(s => KeyValuePair.Create(s.Split, (JsonNode?)Write(s))));
    }

    private static JsonObject Write(SplitStatistics split) => new()
    {
        ["pictures"] = split.Count,
        ["unreadable"] = split.UnreadableCount,
        ["bytes"] = split.Bytes,
        ["width"] = Write(split.Width),
        ["height"] = Write(split.Height),
        ["formats"] = Write(split.Formats),
        ["sizes"] = Write([.. split.Sizes.Select(s => KeyValuePair.Create($"{s.Key.Width}x{s.Key.Height}", s.Value))]),
        ["classes"] = Write(split.Classes),
    };

    private static JsonObject Write(Spread spread) => new() { ["min"] = spread.Min, ["median"] = spread.Median, ["max"] = spread.Max };

    private static JsonObject Write(IReadOnlyList<KeyValuePair<string, int>> counts) => new(counts.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value)));
}
