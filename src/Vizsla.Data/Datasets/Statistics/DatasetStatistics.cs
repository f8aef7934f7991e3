using Vizsla.Imaging;

namespace Vizsla.Datasets.Statistics;

/// <summary>What a dataset holds: classes, sizes, formats, of each split.</summary>
/// <param name="Splits">The splits in order.</param>
public sealed record DatasetStatistics(IReadOnlyList<SplitStatistics> Splits)
{
    /// <summary>Reads the headers of every picture; pixels are not decoded.</summary>
    /// <param name="dataset">The splits.</param>
    /// <param name="progress">Told the number of pictures done, from several threads; null is not told.</param>
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
