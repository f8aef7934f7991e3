using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Loading;

/// <summary>Prepared pictures in a memory-mapped file. Safe for several threads.</summary>
internal sealed class PictureCache
{
    private readonly string _path;
    private readonly MemoryMappedViewAccessor _view;
    private readonly PictureCacheEntry[] _index;
    private readonly bool[] _checked;
    private readonly Func<int, Image> _prepare;
    private int _repairedCount;

    private PictureCache(string path, MemoryMappedViewAccessor view, PictureCacheEntry[] index, Func<int, Image> prepare)
    {
        (_path, _view, _index, _prepare) = (path, view, index, prepare);
        _checked = new bool[index.Length];
    }

    /// <summary>Pictures that were found damaged in the file and prepared anew.</summary>
    public int RepairedCount => _repairedCount;

    /// <summary>Opens a file if it is whole and holds the right pictures.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="key">What the pictures must have been made of.</param>
    /// <param name="prepare">Prepares a picture anew.</param>
    /// <returns>Null where the file is missing, cut, damaged or of other pictures.</returns>
    public static PictureCache? TryOpen(string path, byte[] key, Func<int, Image> prepare)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[PictureCacheHeader.Length];
        var header = PictureCacheHeader.Read(bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)));
        if (header is null || !header.Key.AsSpan().SequenceEqual(key) || header.FileLength != file.Length)
        {
            return null;
        }

        var index = new PictureCacheEntry[header.Count];
        file.Position = header.IndexOffset;
        file.ReadExactly(MemoryMarshal.AsBytes(index.AsSpan()));
        if (Crc32C.Of(MemoryMarshal.AsBytes(index.AsSpan())) != header.IndexChecksum)
        {
            return null;
        }

        // The view keeps the file alive after the stream and the map are closed, also when another process replaces it.
        using var map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new PictureCache(path, map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), index, prepare);
    }

    /// <summary>Reads a picture; one that does not agree with its check sum is prepared anew and put back.</summary>
    /// <param name="slot">Number of the picture.</param>
    /// <returns>The picture; the caller owns it.</returns>
    public Image Read(int slot)
    {
        var entry = _index[slot];
        var image = new Image(entry.Width, entry.Height);
        _view.SafeMemoryMappedViewHandle.ReadSpan((ulong)entry.Offset, image.Pixels);

        // Once for each picture of a process: what the disk gave back whole, memory keeps.
        if (Volatile.Read(ref _checked[slot]))
        {
            return image;
        }

        if (Crc32C.Of(image.Pixels) != entry.Checksum)
        {
            image.Dispose();
            image = _prepare(slot);
            Repair(entry, image);
        }

        Volatile.Write(ref _checked[slot], true);
        return image;
    }

    private void Repair(PictureCacheEntry entry, Image image)
    {
        Interlocked.Increment(ref _repairedCount);
        if ((image.Width, image.Height) != (entry.Width, entry.Height))
        {
            return;
        }

        try
        {
            using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.Write(file, image.Pixels, entry.Offset);
        }
        catch (IOException)
        {
            // A cache that cannot be written still serves: this picture is right, and prepared again by the next process.
        }
        catch (UnauthorizedAccessException)
        {
            // As above.
        }
    }
}
