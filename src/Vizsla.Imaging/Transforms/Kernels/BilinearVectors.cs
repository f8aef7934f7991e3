using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Four pixels at a time of a picture between its pixels, with Pillow's roundings: numbers of double precision, truncated at the end.</summary>
internal static class BilinearVectors
{
    /// <summary>Pixels of a group.</summary>
    public const int Count = 4;

    /// <summary>Whether the processor can gather pixels.</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>Samples four neighboring pixels of the result.</summary>
    /// <typeparam name="TMap">The map.</typeparam>
    /// <param name="source">First byte of the source.</param>
    /// <param name="image">The source.</param>
    /// <param name="map">Where each point of the result comes from.</param>
    /// <param name="x">Column of the first pixel.</param>
    /// <param name="y">Row of the pixels.</param>
    /// <param name="target">First byte of the pixels; those from outside stay as they are.</param>
    /// <returns>False where a pixel lies at the end of the source, beyond which nothing may be read; nothing is written then.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe bool TrySample<TMap>(byte* source, Image image, TMap map, int x, int y, byte* target)
        where TMap : struct, IPixelMap
    {
        var (fromX, fromY) = map.Map(Vector256.Create(x + 0.5, x + 1.5, x + 2.5, x + 3.5), Vector256.Create(y + 0.5));
        var inside = Vector256.GreaterThanOrEqual(fromX, Vector256<double>.Zero) & Vector256.LessThan(fromX, Vector256.Create((double)image.Width))
            & Vector256.GreaterThanOrEqual(fromY, Vector256<double>.Zero) & Vector256.LessThan(fromY, Vector256.Create((double)image.Height));
        var lanes = inside.ExtractMostSignificantBits();
        if (lanes == 0)
        {
            return true;
        }

        var half = Vector256.Create(0.5);
        var (placeX, placeY) = ((fromX & inside) - half, (fromY & inside) - half);
        var (floorX, floorY) = (Vector256.Floor(placeX), Vector256.Floor(placeY));
        var (shareX, shareY) = (placeX - floorX, placeY - floorY);
        var (column, row) = (Avx.ConvertToVector128Int32WithTruncation(floorX), Avx.ConvertToVector128Int32WithTruncation(floorY));

        // Beyond the border the last row or column counts again.
        var left = 3 * Vector128.Max(column, Vector128<int>.Zero);
        var right = 3 * Vector128.Min(column + Vector128<int>.One, Vector128.Create(image.Width - 1));
        var upper = 3 * image.Width * Vector128.Max(row, Vector128<int>.Zero);
        var lower = 3 * image.Width * Vector128.Min(row + Vector128<int>.One, Vector128.Create(image.Height - 1));
        if (Vector128.GreaterThanAny(lower + right, Vector128.Create((3 * image.Width * image.Height) - 4)))
        {
            return false;
        }

        var upperLeft = Avx2.GatherVector128((int*)source, upper + left, 1);
        var upperRight = Avx2.GatherVector128((int*)source, upper + right, 1);
        var lowerLeft = Avx2.GatherVector128((int*)source, lower + left, 1);
        var lowerRight = Avx2.GatherVector128((int*)source, lower + right, 1);
        var pixels = Mix(upperLeft, upperRight, lowerLeft, lowerRight, shareX, shareY)
            | (Mix(upperLeft >>> 8, upperRight >>> 8, lowerLeft >>> 8, lowerRight >>> 8, shareX, shareY) << 8)
            | (Mix(upperLeft >>> 16, upperRight >>> 16, lowerLeft >>> 16, lowerRight >>> 16, shareX, shareY) << 16);
        Store(pixels, lanes, target);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Mix(
        Vector128<int> upperLeft, Vector128<int> upperRight, Vector128<int> lowerLeft, Vector128<int> lowerRight, Vector256<double> shareX, Vector256<double> shareY)
    {
        var (left, right) = (Level(upperLeft), Level(upperRight));
        var above = left + ((right - left) * shareX);
        (left, right) = (Level(lowerLeft), Level(lowerRight));
        var below = left + ((right - left) * shareX);
        return Avx.ConvertToVector128Int32WithTruncation(above + ((below - above) * shareY));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Level(Vector128<int> pixels) => Avx.ConvertToVector256Double(pixels & Vector128.Create(0xFF));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Store(Vector128<int> pixels, uint lanes, byte* target)
    {
        if (lanes == 0b1111)
        {
            var bytes = Vector128.ShuffleNative(pixels.AsByte(), Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 128, 128, 128, 128));
            *(ulong*)target = bytes.AsUInt64().ToScalar();
            *(uint*)(target + 8) = bytes.AsUInt32().GetElement(2);
            return;
        }

        for (var lane = 0; lane < Count; lane++, target += 3)
        {
            if ((lanes >> lane & 1) != 0)
            {
                var pixel = pixels.GetElement(lane);
                (target[0], target[1], target[2]) = ((byte)pixel, (byte)(pixel >> 8), (byte)(pixel >> 16));
            }
        }
    }
}
