using System.Buffers;

namespace Vizsla.Imaging;

/// <summary>Buffers for the pixels of pictures: those of ordinary size from the shared pool, large ones made anew.</summary>
/// <remarks>The pool gives out powers of two and keeps them for a minute or for ever: a few pictures of 50 megapixels would leave gigabytes behind.</remarks>
internal static class PixelPool
{
    /// <summary>Longest buffer that is kept for later: 64 MiB, a photo of 22 megapixels.</summary>
    public const int LongestKept = 1 << 26;

    /// <summary>A buffer of at least so many bytes, which are not cleared.</summary>
    public static byte[] Rent(int length) => length <= LongestKept ? ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);

    /// <summary>Gives a buffer back.</summary>
    public static void Return(byte[] buffer)
    {
        if (buffer.Length <= LongestKept)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
