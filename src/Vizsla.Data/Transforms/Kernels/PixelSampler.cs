using System.Runtime.CompilerServices;
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
