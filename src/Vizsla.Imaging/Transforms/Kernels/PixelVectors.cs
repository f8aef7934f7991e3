using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Eight interleaved pixels at a time as three vectors, one per channel.</summary>
internal static class PixelVectors
{
    /// <summary>Pixels in a vector.</summary>
    public const int Count = 8;

    /// <summary>Bytes of eight pixels.</summary>
    public const int Length = 3 * Count;

    /// <summary>Bytes that loads and stores may touch from the first pixel on.</summary>
    public const int Reach = 28;

    /// <summary>Reads eight pixels.</summary>
    /// <param name="source">First byte of the pixels.</param>
    /// <param name="at">Offset of the first pixel; <see cref="Reach"/> bytes from there can be read.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<int> Red, Vector256<int> Green, Vector256<int> Blue) Load(ref byte source, int at)
    {
        var spread = Vector128.Create((byte)0, 1, 2, 128, 3, 4, 5, 128, 6, 7, 8, 128, 9, 10, 11, 128);
        var pixels = Vector256.Create(
            Vector128.ShuffleNative(Vector128.LoadUnsafe(ref source, (nuint)at), spread),
            Vector128.ShuffleNative(Vector128.LoadUnsafe(ref source, (nuint)(at + (Length / 2))), spread)).AsInt32();
        var low = Vector256.Create(0xFF);
        return (pixels & low, Vector256.ShiftRightLogical(pixels, 8) & low, Vector256.ShiftRightLogical(pixels, 16) & low);
    }

    /// <summary>Writes eight pixels, and a few zeros behind them.</summary>
    /// <param name="red">Levels, 0 to 255.</param>
    /// <param name="green">Levels, 0 to 255.</param>
    /// <param name="blue">Levels, 0 to 255.</param>
    /// <param name="target">First byte of the pixels.</param>
    /// <param name="at">Offset of the first pixel; <see cref="Reach"/> bytes from there can be written.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> red, Vector256<int> green, Vector256<int> blue, ref byte target, int at)
    {
        var (low, high) = Pack(red, green, blue);
        low.StoreUnsafe(ref target, (nuint)at);
        high.StoreUnsafe(ref target, (nuint)(at + (Length / 2)));
    }

    /// <summary>Writes eight pixels and nothing else.</summary>
    /// <param name="red">Levels, 0 to 255.</param>
    /// <param name="green">Levels, 0 to 255.</param>
    /// <param name="blue">Levels, 0 to 255.</param>
    /// <param name="target">First byte of the pixels.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreExactly(Vector256<int> red, Vector256<int> green, Vector256<int> blue, byte* target)
    {
        var (low, high) = Pack(red, green, blue);
        StoreExactly(low, high, target);
    }

    /// <summary>Writes eight pixels and nothing else.</summary>
    /// <param name="pixels">Red, green, blue and a byte that does not count, from the lowest on.</param>
    /// <param name="target">First byte of the pixels.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreExactly(Vector256<int> pixels, byte* target)
    {
        var (low, high) = Pack(pixels);
        StoreExactly(low, high, target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void StoreExactly(Vector128<byte> low, Vector128<byte> high, byte* target)
    {
        low.Store(target);
        *(ulong*)(target + (Length / 2)) = high.AsUInt64().ToScalar();
        *(uint*)(target + (Length / 2) + 8) = high.AsUInt32().GetElement(2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<byte> Low, Vector128<byte> High) Pack(Vector256<int> red, Vector256<int> green, Vector256<int> blue) =>
        Pack(red | Vector256.ShiftLeft(green, 8) | Vector256.ShiftLeft(blue, 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<byte> Low, Vector128<byte> High) Pack(Vector256<int> pixels)
    {
        var pack = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 128, 128, 128, 128);
        var bytes = pixels.AsByte();
        return (Vector128.ShuffleNative(bytes.GetLower(), pack), Vector128.ShuffleNative(bytes.GetUpper(), pack));
    }
}
