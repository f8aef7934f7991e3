using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Mirrors and turns pictures.</summary>
internal static class Flip
{
    // Five whole pixels of a 16-byte vector.
    private const int Chunk = 15;

    /// <summary>Left to right.</summary>
    public static Image Horizontal(Image image)
    {
        var result = new Image(image.Width, image.Height);
        for (var y = 0; y < image.Height; y++)
        {
            ReversePixels(image.Row(y), result.Row(y));
        }

        return result;
    }

    /// <summary>Upside down.</summary>
    public static Image Vertical(Image image)
    {
        var result = new Image(image.Width, image.Height);
        for (var y = 0; y < image.Height; y++)
        {
            image.Row(y).CopyTo(result.Row(image.Height - 1 - y));
        }

        return result;
    }

    /// <summary>Half a turn.</summary>
    public static Image Both(Image image)
    {
        var result = new Image(image.Width, image.Height);
        ReversePixels(image.Pixels, result.Pixels);
        return result;
    }

    /// <summary>A quarter of a turn counter-clockwise; width and height change places.</summary>
    public static Image QuarterTurn(Image image)
    {
        var result = new Image(image.Height, image.Width);
        var source = image.Pixels;
        for (var y = 0; y < result.Height; y++)
        {
            var row = result.Row(y);
            var from = 3 * (image.Width - 1 - y);
            for (var x = 0; x < row.Length; x += 3, from += 3 * image.Width)
            {
                (row[x], row[x + 1], row[x + 2]) = (source[from], source[from + 1], source[from + 2]);
            }
        }

        return result;
    }

    private static void ReversePixels(ReadOnlySpan<byte> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var order = Vector128.Create((byte)13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0);
        var read = source.Length - Vector128<byte>.Count;
        var write = 0;

        // The last byte of each store is none of its five pixels; the next store overwrites it.
        for (; read >= 0 && write + Vector128<byte>.Count <= target.Length; read -= Chunk, write += Chunk)
        {
            Vector128.ShuffleNative(Vector128.LoadUnsafe(ref from, (nuint)read), order).StoreUnsafe(ref to, (nuint)write);
        }

        for (; write < target.Length; write += 3)
        {
            var pixel = source.Length - 3 - write;
            (target[write], target[write + 1], target[write + 2]) = (source[pixel], source[pixel + 1], source[pixel + 2]);
        }
    }
}
