using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Vizsla.Imaging;

namespace Vizsla.Studio.Pictures;

/// <summary>Pictures for a moving slider: lossless, and written within a millisecond because nothing is compressed.</summary>
internal static class BmpWriter
{
    private const int HeaderLength = 54;
    private const int GroupPixels = 5;

    // Red and blue of five pixels change places; the sixteenth byte is the next group's to write.
    private static readonly Vector128<byte> Swap = Vector128.Create((byte)2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 15);

    /// <summary>Writes the picture as a 24-bit BMP file.</summary>
    /// <returns>The file in a pooled buffer; the caller disposes it.</returns>
    public static PooledBytes Write(Image image)
    {
        var stride = ((image.Width * 3) + 3) & ~3;
        var file = new PooledBytes(HeaderLength + (stride * image.Height));
        WriteHeader(file.Span, image);
        for (var y = 0; y < image.Height; y++)
        {
            var source = image.Row(y);
            var target = file.Span.Slice(HeaderLength + (stride * (image.Height - 1 - y)), stride);
            WriteRow(source, target);
            target[source.Length..].Clear();
        }

        return file;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WriteRow(ReadOnlySpan<byte> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var x = 0;
        for (; x + Vector128<byte>.Count <= source.Length; x += 3 * GroupPixels)
        {
            Vector128.Shuffle(Vector128.LoadUnsafe(ref from, (nuint)x), Swap).StoreUnsafe(ref to, (nuint)x);
        }

        for (; x < source.Length; x += 3)
        {
            (target[x], target[x + 1], target[x + 2]) = (source[x + 2], source[x + 1], source[x]);
        }
    }

    private static void WriteHeader(Span<byte> file, Image image)
    {
        file[..HeaderLength].Clear();
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file[2..], file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file[10..], HeaderLength);
        BinaryPrimitives.WriteInt32LittleEndian(file[14..], 40);
        BinaryPrimitives.WriteInt32LittleEndian(file[18..], image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(file[22..], image.Height);
        BinaryPrimitives.WriteInt16LittleEndian(file[26..], 1);
        BinaryPrimitives.WriteInt16LittleEndian(file[28..], 24);
    }
}

/// <summary>Bytes in a pooled buffer: allocating megabytes for each move of a slider would keep the garbage collector busy.</summary>
/// <param name="length">Number of bytes; they hold whatever the buffer held.</param>
internal sealed class PooledBytes(int length) : IDisposable
{
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(length);

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">They were given back.</exception>
    public Memory<byte> Memory => (_buffer ?? throw new ObjectDisposedException(nameof(PooledBytes))).AsMemory(0, length);

    /// <summary>The bytes as a span.</summary>
    public Span<byte> Span => Memory.Span;

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
