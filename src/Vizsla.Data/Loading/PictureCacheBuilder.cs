using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Loading;

/// <summary>Writes a file of prepared pictures: to a name of its own first, which takes the place of the right one when it is whole.</summary>
/// <param name="path">Path of the file.</param>
/// <param name="key">What the pictures are made of.</param>
/// <param name="count">Number of pictures.</param>
/// <param name="prepare">Prepares a picture; called from several threads.</param>
internal sealed class PictureCacheBuilder(string path, byte[] key, int count, Func<int, Image> prepare)
{
    private readonly PictureCacheEntry[] _index = new PictureCacheEntry[count];
    private readonly Lock _failing = new();
    private long _end = PictureCacheHeader.Length;
    private int _prepared;
    private (int Slot, Exception Error)? _failure;

    /// <summary>Prepares and writes all pictures.</summary>
    /// <param name="options">Threads and progress.</param>
    /// <param name="expectedLength">Bytes of pixels where they are known in advance, else 0.</param>
    /// <param name="cancellationToken">Stops; nothing is left behind.</param>
    /// <exception cref="DatasetException">The disk is too full.</exception>
    public void Build(MapOptions options, long expectedLength, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        DeleteLeftovers(folder);
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (expectedLength > free)
        {
            throw new DatasetException(
                $"The prepared pictures take {expectedLength >> 20} MiB and '{folder}' has {free >> 20} MiB free; choose another CacheDirectory, or SetTransform, which keeps nothing.");
        }

        var temporary = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp";
        try
        {
            // Held without sharing: whoever finds the name can tell a builder at work from one that died.
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                Write(file, options, cancellationToken);
            }

            Publish(temporary);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private void Write(SafeFileHandle file, MapOptions options, CancellationToken cancellationToken)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Workers, CancellationToken = cancellationToken };
        Parallel.For(0, count, parallel, (slot, loop) =>
        {
            try
            {
                using var image = prepare(slot);
                var offset = Interlocked.Add(ref _end, image.Pixels.Length) - image.Pixels.Length;
                _index[slot] = new(offset, image.Width, image.Height, Crc32C.Of(image.Pixels));
                RandomAccess.Write(file, image.Pixels, offset);
                options.Progress?.Report(Interlocked.Increment(ref _prepared));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Rows before this one still run, so that the first bad row is the one named, for any number of threads.
                Fail(slot, e);
                loop.Break();
            }
        });
        if (_failure is { } failure)
        {
            throw failure.Error;
        }

        var index = MemoryMarshal.AsBytes(_index.AsSpan());
        RandomAccess.Write(file, index, _end);
        RandomAccess.FlushToDisk(file);
        RandomAccess.Write(file, new PictureCacheHeader(key, count, _end, Crc32C.Of(index)).ToBytes(), 0);
        RandomAccess.FlushToDisk(file);
    }

    private void Fail(int slot, Exception error)
    {
        lock (_failing)
        {
            if (_failure is not { } earlier || slot < earlier.Slot)
            {
                _failure = (slot, error);
            }
        }
    }

    private void Publish(string temporary)
    {
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch (IOException) when (PictureCache.TryOpen(path, key, prepare) is not null)
        {
            // Where an open file cannot be replaced, another process has put the same pictures there first.
        }
    }

    private void DeleteLeftovers(string folder)
    {
        foreach (var leftover in Directory.EnumerateFiles(folder, Path.GetFileName(path) + ".*.tmp"))
        {
            try
            {
                using (File.OpenHandle(leftover, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                }

                File.Delete(leftover);
            }
            catch (IOException)
            {
                // Another process is building.
            }
        }
    }
}
