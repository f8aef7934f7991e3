using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Eight pixels at a time at normalized places, with the arithmetic of <see cref="GridSampler"/>.</summary>
internal static class GridVectors
{
    /// <summary>Pixels of a group.</summary>
    public const int Count = 8;

    /// <summary>Whether the processor can gather pixels and multiply and add in one.</summary>
    public static bool IsSupported => Avx2.IsSupported && Fma.IsSupported;

    /// <summary>Samples eight pixels between pixels.</summary>
    /// <param name="source">First byte of the source.</param>
    /// <param name="image">The source.</param>
    /// <param name="x">Columns.</param>
    /// <param name="y">Rows.</param>
    /// <param name="fill">Color of what comes from outside; null leaves it black without blending at the border.</param>
    /// <param name="target">First byte of the pixels.</param>
    /// <returns>False where a pixel lies at the end of the source, beyond which nothing may be read; nothing is written then.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe bool TryBilinear(byte* source, Image image, Vector256<float> x, Vector256<float> y, FillColor? fill, byte* target)
    {
        var (left, top) = (Vector256.Floor(x), Vector256.Floor(y));
        var (east, south) = (x - left, y - top);
        var (west, north) = (Vector256<float>.One - east, Vector256<float>.One - south);
        var (width, height) = (Vector256.Create((float)image.Width), Vector256.Create((float)image.Height));
        var hasLeft = Vector256.GreaterThanOrEqual(left, Vector256<float>.Zero) & Vector256.LessThan(left, width);
        var hasRight = Vector256.GreaterThanOrEqual(left, -Vector256<float>.One) & Vector256.LessThan(left, width - Vector256<float>.One);
        var hasTop = Vector256.GreaterThanOrEqual(top, Vector256<float>.Zero) & Vector256.LessThan(top, height);
        var hasBottom = Vector256.GreaterThanOrEqual(top, -Vector256<float>.One) & Vector256.LessThan(top, height - Vector256<float>.One);

        // Where a pixel is missing any other is read in its place and masked away.
        var leftColumn = 3 * Avx.ConvertToVector256Int32WithTruncation(left & hasLeft);
        var rightColumn = 3 * Avx.ConvertToVector256Int32WithTruncation((left + Vector256<float>.One) & hasRight);
        var topRow = 3 * image.Width * Avx.ConvertToVector256Int32WithTruncation(top & hasTop);
        var bottomRow = 3 * image.Width * Avx.ConvertToVector256Int32WithTruncation((top + Vector256<float>.One) & hasBottom);
        var last = Vector256.Create((3 * image.Width * image.Height) - 4);
        if (Vector256.GreaterThanAny(Vector256.Max(topRow, bottomRow) + Vector256.Max(leftColumn, rightColumn), last))
        {
            return false;
        }

        var corners = new Corners(
            Pixels(source, topRow + leftColumn, hasTop & hasLeft), Pixels(source, topRow + rightColumn, hasTop & hasRight),
            Pixels(source, bottomRow + leftColumn, hasBottom & hasLeft), Pixels(source, bottomRow + rightColumn, hasBottom & hasRight),
            north * west, north * east, south * west, south * east);
        var one = Vector256<float>.One;
        var covered = fill is null ? one : corners.Sum(one & hasTop & hasLeft, one & hasTop & hasRight, one & hasBottom & hasLeft, one & hasBottom & hasRight);
        var red = Blend(corners.Channel(0), covered, fill?.Red);
        var green = Blend(corners.Channel(8), covered, fill?.Green);
        var blue = Blend(corners.Channel(16), covered, fill?.Blue);
        PixelVectors.StoreExactly(red, green, blue, target);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<int> Pixels(byte* source, Vector256<int> places, Vector256<float> there) =>
        Avx2.GatherVector256((int*)source, places, 1) & there.AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Blend(Vector256<float> level, Vector256<float> covered, int? background)
    {
        if (background is { } color)
        {
            var behind = Vector256.Create((float)color);
            level = ((level - behind) * covered) + behind;
        }

        return Avx.ConvertToVector256Int32WithTruncation(Vector256.Round(level)) & Vector256.Create(0xFF);
    }

    /// <summary>The four pixels around each place, 0 where there is none, and their weights.</summary>
    private readonly struct Corners(
        Vector256<int> northWest, Vector256<int> northEast, Vector256<int> southWest, Vector256<int> southEast,
        Vector256<float> weight0, Vector256<float> weight1, Vector256<float> weight2, Vector256<float> weight3)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Channel(int shift) => Sum(Level(northWest, shift), Level(northEast, shift), Level(southWest, shift), Level(southEast, shift));

        // torch adds from the north-west to the south-east, one fused multiply-add each.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Sum(Vector256<float> level0, Vector256<float> level1, Vector256<float> level2, Vector256<float> level3)
        {
            var sum = level0 * weight0;
            sum = Vector256.FusedMultiplyAdd(level1, weight1, sum);
            sum = Vector256.FusedMultiplyAdd(level2, weight2, sum);
            return Vector256.FusedMultiplyAdd(level3, weight3, sum);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Level(Vector256<int> pixels, int shift) =>
            Vector256.ConvertToSingle(Vector256.ShiftRightLogical(pixels, shift) & Vector256.Create(0xFF));
    }
}
