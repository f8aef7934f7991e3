using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Loading;

/// <summary>The pictures of a dataset after the steps of a pipeline that draw nothing, and the steps that are left.</summary>
internal sealed class PreparedPictures
{
    private readonly PictureCache _cache;
    private readonly Dictionary<int, int>? _slots;

    private PreparedPictures(PictureCache cache, Compose pipeline, Compose rest, Dictionary<int, int>? slots)
    {
        (_cache, Pipeline, Rest, _slots) = (cache, pipeline, rest, slots);
    }

    /// <summary>The whole pipeline.</summary>
    public Compose Pipeline { get; }

    /// <summary>The steps that run on each picture when it is fetched.</summary>
    public Compose Rest { get; }

    /// <summary>Pictures that were found damaged and prepared anew.</summary>
    public int RepairedCount => _cache.RepairedCount;

    /// <summary>Opens the prepared pictures, or prepares them.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="storedRows">Row of each of its rows in the table behind it; null for the same rows.</param>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="cancellationToken">Stops the preparation.</param>
    public static PreparedPictures Open(ImageDataset dataset, int[]? storedRows, Compose pipeline, MapOptions options, CancellationToken cancellationToken)
    {
        var kept = pipeline.Transforms.TakeWhile(step => step is ImageTransform && !step.IsRandom).ToList();
        var (prefix, rest) = (new Compose(kept), new Compose(pipeline.Transforms.Skip(kept.Count)));

        // A picture that stands for several rows is kept once.
        var distinct = storedRows is null ? [.. Enumerable.Range(0, dataset.Count)] : Enumerable.Range(0, dataset.Count).DistinctBy(row => storedRows[row]).ToArray();
        var slots = storedRows is null ? null : distinct.Select((row, slot) => (storedRows[row], slot)).ToDictionary();
        var decoding = options.FastDecode ? pipeline.FastDecode : null;
        var steps = Transforms.Pipeline.ToJson(prefix).ToJsonString() + (options.FastDecode ? " fast_decode" : "");
        var (name, key) = Identify(dataset, distinct, steps);
        var path = Path.Combine(options.Directory, name + ".pictures");
        var cache = PictureCache.TryOpen(path, key, Prepare);
        if (cache is null)
        {
            var length = prefix.OutputSize is var (_, height, width) ? 3L * height * width * distinct.Length : 0;
            new PictureCacheBuilder(path, key, distinct.Length, Prepare).Build(options, length, cancellationToken);
            cache = PictureCache.TryOpen(path, key, Prepare)
                ?? throw new DatasetException($"The prepared pictures in '{path}' could not be read back; is the disk sound, and is nothing else writing there?");
        }

        return new PreparedPictures(cache, pipeline, rest, slots);

        Image Prepare(int slot)
        {
            var row = distinct[slot];
            try
            {
                var image = dataset.LoadImage(row, decoding);
                var prepared = prefix.Apply(image, new Rng(0));
                if (!ReferenceEquals(prepared, image))
                {
                    image.Dispose();
                }

                return prepared;
            }
            catch (ArgumentException e)
            {
                throw new DatasetException($"The picture '{dataset[row].Name}' (row {row}) could not be prepared: {e.Message}", e);
            }
        }
    }

    /// <summary>Reads a prepared picture.</summary>
    /// <param name="storedRow">Row in the table behind the dataset.</param>
    /// <returns>The picture; the caller owns it.</returns>
    public Image Read(int storedRow) => _cache.Read(_slots is null ? storedRow : _slots[storedRow]);

    // The name follows from which files and steps are meant, the key also from what the files hold: a changed file finds the name and not the key, and the old pictures make room.
    private static (string Name, byte[] Key) Identify(ImageDataset dataset, int[] rows, string steps)
    {
        using var name = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var key = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        name.AppendData(Encoding.UTF8.GetBytes(steps));
        key.AppendData(Encoding.UTF8.GetBytes(steps + dataset.Fingerprint));
        Span<byte> numbers = stackalloc byte[16];
        foreach (var row in rows)
        {
            var source = dataset[row];
            name.AppendData(Encoding.UTF8.GetBytes(source.Name + '\n'));
            if (source.Bytes is { } bytes)
            {
                BinaryPrimitives.WriteInt64LittleEndian(numbers, bytes.Length);
                BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], Crc32C.Of(bytes.Span));
            }
            else
            {
                var file = new FileInfo(source.Name);
                BinaryPrimitives.WriteInt64LittleEndian(numbers, file.Exists ? file.Length : -1);
                BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], file.Exists ? file.LastWriteTimeUtc.Ticks : -1);
            }

            key.AppendData(numbers);
        }

        return (Convert.ToHexStringLower(name.GetHashAndReset().AsSpan(0, 8)), key.GetHashAndReset());
    }
}
