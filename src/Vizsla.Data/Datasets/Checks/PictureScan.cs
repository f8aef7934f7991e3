using System.Security.Cryptography;
using Vizsla.Imaging;

namespace Vizsla.Datasets.Checks;

/// <summary>Looks once at every picture; what was seen in files is kept for the next time.</summary>
internal static class PictureScan
{
    private const string CacheKind = "picture-facts";

    /// <summary>Looks at files in parallel.</summary>
    /// <param name="paths">Paths of the files.</param>
    /// <param name="progress">Receives the number of files done; may be null.</param>
    /// <param name="cacheFolder">Where the facts are kept; null takes the user's cache.</param>
    /// <param name="cancellationToken">Stops between two files.</param>
    /// <returns>The facts in the order of <paramref name="paths"/>.</returns>
    public static PictureFacts[] Run(IReadOnlyList<string> paths, IProgress<int>? progress = null, string? cacheFolder = null, CancellationToken cancellationToken = default)
    {
        var cache = ScanCache<PictureFacts>.Load(cacheFolder, CacheKind, paths);
        try
        {
            return Look(paths.Count, i => cache.GetOrAdd(paths[i], path => PictureFacts.Of(new ImageSource(path))), progress, cancellationToken);
        }
        finally
        {
            cache.Save();
        }
    }

    /// <summary>Looks at every row of several datasets, whose pictures lie in files, archives or Parquet.</summary>
    /// <param name="datasets">The datasets.</param>
    /// <param name="progress">Receives the number of rows done; may be null.</param>
    /// <param name="cacheFolder">Where the facts of files are kept; null takes the user's cache.</param>
    /// <param name="cancellationToken">Stops between two pictures.</param>
    /// <returns>The facts of all rows, dataset after dataset.</returns>
    public static PictureFacts[] Run(IReadOnlyList<ImageDataset> datasets, IProgress<int>? progress = null, string? cacheFolder = null, CancellationToken cancellationToken = default)
    {
        (ImageDataset Dataset, int Row)[] rows = [.. datasets.SelectMany(d => Enumerable.Range(0, d.Count).Select(row => (d, row)))];

        // Asking a Parquet file for every path would read every picture of it twice.
        string[] files = [.. datasets.Where(d => d.Count > 0 && SourceOf(d, 0) is { IsFile: true })
            .SelectMany(d => Enumerable.Range(0, d.Count).Select(row => SourceOf(d, row))).Where(s => s is { IsFile: true }).Select(s => s?.Path ?? "")];
        var cache = ScanCache<PictureFacts>.Load(cacheFolder, CacheKind, files);
        try
        {
            return Look(
                rows.Length,
                i => SourceOf(rows[i].Dataset, rows[i].Row) switch
                {
                    { IsFile: true, Path: { } path } source => cache.GetOrAdd(path, _ => PictureFacts.Of(source)),
                    { } source => PictureFacts.Of(source),
                    null => new("the row has no picture", 0, 0, "", null),
                },
                progress,
                cancellationToken);
        }
        finally
        {
            cache.Save();
        }
    }

    private static ImageSource? SourceOf(ImageDataset dataset, int row) => dataset.Features.ImageColumn is { } column ? dataset.Value(row, column) as ImageSource : dataset[row];

    private static PictureFacts[] Look(int count, Func<int, PictureFacts> look, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var facts = new PictureFacts[count];
        var done = 0;
        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            facts[i] = look(i);
            progress?.Report(Interlocked.Increment(ref done));
        });
        return facts;
    }
}

/// <summary>What one look at a picture tells: whether it can be read whole, its size, and two ways to know it again.</summary>
/// <param name="Problem">Why it cannot be read, as the end of a sentence; null where it can. The sizes are 0 then and there is no signature.</param>
/// <param name="Width">Width in pixels, upright.</param>
/// <param name="Height">Height in pixels, upright.</param>
/// <param name="Sha256">Hash of the encoded file, hexadecimal; empty where the file cannot even be opened.</param>
/// <param name="Signature">How it looks; null where it cannot be read.</param>
/// <param name="Quality">How good it is; null where it cannot be read.</param>
internal sealed record PictureFacts(string? Problem, int Width, int Height, string Sha256, PictureSignature? Signature, PictureQuality? Quality = null)
{
    /// <summary>Whether the file ends too early: a broken download or copy.</summary>
    public bool IsCutShort => Problem == ImageFormatException.CutShort;

    /// <summary>Reads, hashes and decodes a picture.</summary>
    /// <param name="source">The picture.</param>
    public static PictureFacts Of(ImageSource source)
    {
        try
        {
            return Of(source.ReadBytes().Span);
        }
        catch (DatasetException e)
        {
            return new((e.InnerException ?? e).Message.TrimEnd('.'), 0, 0, "", null);
        }
    }

    private static PictureFacts Of(ReadOnlySpan<byte> data)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(data));
        try
        {
            using var image = ImageCodec.Decode(data);
            return new(null, image.Width, image.Height, hash, PictureSignature.Of(image), PictureQuality.Of(image, ImageCodec.Identify(data).Mode));
        }
        catch (ImageFormatException e)
        {
            return new(e.Reason, 0, 0, hash, null);
        }
    }
}
