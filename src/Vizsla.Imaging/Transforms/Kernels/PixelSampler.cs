using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Samples a picture through a map as Pillow's generic <c>Image.transform</c> does; what comes from outside keeps the fill.</summary>
/// <remarks>Source: Pillow <c>libImaging/Geometry.c</c>. Parity: exact.</remarks>
internal static class PixelSampler
{
    /// <summary>Samples the source at the map of each pixel's center.</summary>
    /// <typeparam name="TMap">The map.</typeparam>
    /// <param name="image">The source.</param>
    /// <param name="result">The result, filled with the color for what lies outside.</param>
    /// <param name="map">Where each point of the result comes from.</param>
    /// <param name="interpolation">Nearest, bilinear or bicubic.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Sample<TMap>(Image image, Image result, TMap map, Interpolation interpolation)
        where TMap : struct, IPixelMap
    {
        var vectors = interpolation == Interpolation.Bilinear && BilinearVectors.IsSupported;
        fixed (byte* source = image.Pixels, target = result.Pixels)
        {
            for (var y = 0; y < result.Height; y++)
            {
                var x = 0;
                for (; vectors && x + BilinearVectors.Count <= result.Width; x += BilinearVectors.Count)
                {
                    if (!BilinearVectors.TrySample(source, image, map, x, y, target + (3L * ((y * result.Width) + x))))
                    {
                        Sample(image, result, map, interpolation, y, x, x + BilinearVectors.Count);
                    }
                }

                Sample(image, result, map, interpolation, y, x, result.Width);
            }
        }
    }

    // Pixels of a row one by one.
    private static void Sample<TMap>(Image image, Image result, TMap map, Interpolation interpolation, int y, int from, int to)
        where TMap : struct, IPixelMap
    {
        var source = new Source(image);
        var row = result.Row(y);
        for (var x = from; x < to; x++)
        {
            var (fromX, fromY) = map.Map(x + 0.5, y + 0.5);
            if (!(fromX >= 0 && fromX < image.Width && fromY >= 0 && fromY < image.Height))
            {
                continue;
            }

            var pixel = row.Slice(3 * x, 3);
            switch (interpolation)
            {
                case Interpolation.Bilinear:
                    source.Bilinear(fromX, fromY, pixel);
                    break;
                case Interpolation.Bicubic:
                    source.Bicubic(fromX, fromY, pixel);
                    break;
                default:
                    source.Nearest((int)fromX, (int)fromY, pixel);
                    break;
            }
        }
    }

    private readonly ref struct Source(Image image)
    {
        private readonly ReadOnlySpan<byte> _pixels = image.Pixels;
        private readonly int _width = image.Width;
        private readonly int _height = image.Height;

        public void Nearest(int x, int y, Span<byte> pixel) => _pixels.Slice(3 * ((y * _width) + x), 3).CopyTo(pixel);

        public void Bilinear(double fromX, double fromY, Span<byte> pixel)
        {
            var (x, y) = ((int)Math.Floor(fromX - 0.5), (int)Math.Floor(fromY - 0.5));
            var (shareX, shareY) = (fromX - 0.5 - x, fromY - 0.5 - y);
            var upper = Row(y);
            var lower = Row(y + 1);
            var (left, right) = (Column(x), Column(x + 1));
            for (var channel = 0; channel < 3; channel++)
            {
                var above = Mix(upper[left + channel], upper[right + channel], shareX);
                var below = Mix(lower[left + channel], lower[right + channel], shareX);
                pixel[channel] = (byte)Mix(above, below, shareY);
            }
        }

        public void Bicubic(double fromX, double fromY, Span<byte> pixel)
        {
            var (x, y) = ((int)Math.Floor(fromX - 0.5), (int)Math.Floor(fromY - 0.5));
            var (shareX, shareY) = (fromX - 0.5 - x, fromY - 0.5 - y);
            for (var channel = 0; channel < 3; channel++)
            {
                var level = Cubic(
                    CubicRow(x, y - 1, channel, shareX),
                    CubicRow(x, y, channel, shareX),
                    CubicRow(x, y + 1, channel, shareX),
                    CubicRow(x, y + 2, channel, shareX),
                    shareY);
                pixel[channel] = (byte)Math.Clamp(level, 0, 255);
            }
        }

        private static double Mix(double a, double b, double share) => a + ((b - a) * share);

        private static double Cubic(double v1, double v2, double v3, double v4, double share)
        {
            var p2 = -v1 + v3;
            var p3 = (2 * (v1 - v2)) + v3 - v4;
            var p4 = -v1 + v2 - v3 + v4;
            return v2 + (share * (p2 + (share * (p3 + (share * p4)))));
        }

        private double CubicRow(int x, int y, int channel, double share)
        {
            var row = Row(y);
            return Cubic(row[Column(x - 1) + channel], row[Column(x) + channel], row[Column(x + 1) + channel], row[Column(x + 2) + channel], share);
        }

        // Beyond the border the last row or column counts again.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private ReadOnlySpan<byte> Row(int y) => _pixels.Slice(3 * _width * Math.Clamp(y, 0, _height - 1), 3 * _width);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private int Column(int x) => 3 * Math.Clamp(x, 0, _width - 1);
    }
}

/// <summary>Says where a point of the result comes from.</summary>
internal interface IPixelMap
{
    /// <summary>The source of a point, in pixels from the top left corner of the picture.</summary>
    /// <param name="x">From the left; the center of the first pixel is 0.5.</param>
    /// <param name="y">From the top; the center of the first pixel is 0.5.</param>
    (double X, double Y) Map(double x, double y);

    /// <summary>The sources of four points, with the roundings of one.</summary>
    /// <param name="x">From the left.</param>
    /// <param name="y">From the top.</param>
    (Vector256<double> X, Vector256<double> Y) Map(Vector256<double> x, Vector256<double> y);
}

/// <summary>Fetches eight pixels at a time along a slanted line of a picture.</summary>
internal static class NearestVectors
{
    private const int Count = 8;

    /// <summary>Whether the processor can gather pixels.</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>Fills a part of a row, as far as whole groups go.</summary>
    /// <param name="image">The source.</param>
    /// <param name="source">First byte of the source.</param>
    /// <param name="target">First byte of the row.</param>
    /// <param name="first">First column of the part.</param>
    /// <param name="last">Column behind the part; the sources of all columns lie inside the picture.</param>
    /// <param name="x">Source column of column 0, and the step from column to column, in 1/65536.</param>
    /// <param name="y">Source row of column 0, and the step from column to column, in 1/65536.</param>
    /// <returns>The first column that is not filled.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe int Sample(Image image, ref byte source, ref byte target, int first, int last, (int Start, int Step) x, (int Start, int Step) y)
    {
        var lanes = Vector256<int>.Indices + Vector256.Create(first);
        var (fromX, fromY) = (Vector256.Create(x.Start) + (lanes * x.Step), Vector256.Create(y.Start) + (lanes * y.Step));
        var (stepX, stepY) = (Vector256.Create(Count * x.Step), Vector256.Create(Count * y.Step));
        var (rowLength, end) = (Vector256.Create(3 * image.Width), Vector256.Create((3 * image.Width * image.Height) - 4));
        var column = first;
        fixed (byte* pixels = &source, row = &target)
        {
            for (; column + Count <= last; column += Count)
            {
                var place = ((fromY >> 16) * rowLength) + (3 * (fromX >> 16));
                if (Vector256.GreaterThanAny(place, end))
                {
                    // Four bytes are read for a pixel of three: not beyond the picture.
                    break;
                }

                PixelVectors.StoreExactly(Avx2.GatherVector256((int*)pixels, place, 1), row + (3 * column));
                fromX += stepX;
                fromY += stepY;
            }
        }

        return column;
    }
}
