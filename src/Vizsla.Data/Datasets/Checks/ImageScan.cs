using Vizsla.Imaging;

namespace Vizsla.Datasets.Checks;

/// <summary>Finds every picture that cannot be read whole, before anything else is done with them.</summary>
/// <remarks>Each file is decoded once; the outcome is kept by path, length and modification time, so that the next scan of the same folder takes no time.</remarks>
internal static class ImageScan
{
    /// <summary>Decodes files in parallel.</summary>
    /// <param name="paths">Paths of existing files.</param>
    /// <param name="progress">Receives the number of files done; may be null.</param>
    /// <param name="cacheFolder">Where outcomes are kept; null takes <c>vizsla/image-scan</c> below <c>XDG_CACHE_HOME</c>, or the platform's folder for it.</param>
    /// <param name="cancellationToken">Stops between two files.</param>
    /// <returns>The bad ones in the order of <paramref name="paths"/>.</returns>
    public static IReadOnlyList<BadImage> Run(IReadOnlyList<string> paths, IProgress<int>? progress = null, string? cacheFolder = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var cache = ScanCache<string?>.Load(cacheFolder, "image-scan", paths);
        var reasons = new string?[paths.Count];
        var done = 0;
        try
        {
            Parallel.For(0, paths.Count, Options(cancellationToken), i =>
            {
                reasons[i] = cache.GetOrAdd(paths[i], path => ImageCodec.Check(path));
                progress?.Report(Interlocked.Increment(ref done));
            });
        }
        finally
        {
            cache.Save();
        }

        return [.. paths.Zip(reasons).Where(p => p.Second is not null).Select(p => new BadImage(p.First, p.Second ?? ""))];
    }

    /// <summary>Decodes every picture of a dataset, on disk or in memory.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="progress">Receives the number of pictures done; may be null.</param>
    /// <param name="cancellationToken">Stops between two pictures.</param>
    /// <returns>The rows that are bad, in order, with the reason.</returns>
    public static IReadOnlyList<(int Row, BadImage Image)> Run(ImageDataset dataset, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var files = Enumerable.Range(0, dataset.Count).Where(row => dataset[row].IsFile).ToList();
        var bad = Run([.. files.Select(row => dataset[row].Path ?? "")], progress, cancellationToken: cancellationToken).ToLookup(b => b.Path);
        var found = files.Where(row => bad.Contains(dataset[row].Path ?? "")).Select(row => (row, bad[dataset[row].Path ?? ""].First())).ToList();
        var inMemory = Enumerable.Range(0, dataset.Count).Except(files).ToList();
        var reasons = new string?[inMemory.Count];
        var done = files.Count;
        Parallel.For(0, inMemory.Count, Options(cancellationToken), i =>
        {
            reasons[i] = Check(dataset[inMemory[i]]);
            progress?.Report(Interlocked.Increment(ref done));
        });
        found.AddRange(inMemory.Zip(reasons).Where(p => p.Second is not null).Select(p => (p.First, new BadImage(dataset[p.First].Name, p.Second ?? ""))));
        return [.. found.OrderBy(f => f.Item1)];
    }

    private static string? Check(ImageSource source)
    {
        try
        {
            ImageCodec.Decode(source.ReadBytes().Span).Dispose();
            return null;
        }
        catch (ImageFormatException e)
        {
            return e.Reason;
        }
    }

    private static ParallelOptions Options(CancellationToken cancellationToken) =>
        new() { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
}

/// <summary>A picture that cannot be read whole.</summary>
/// <param name="Path">Path of the file, or the name the bytes had.</param>
/// <param name="Reason">Why, as the end of a sentence without its full stop.</param>
public sealed record BadImage(string Path, string Reason);
