using System.Runtime.Intrinsics;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Samples a picture at normalized places as torchvision does on tensors; the result is rounded half to even.</summary>
/// <remarks>
/// Places run from -1 to 1 over the whole picture, edges included. Source: <c>torch.nn.functional.grid_sample</c>
/// (<c>align_corners=False</c>, zeros outside) and torchvision <c>_apply_grid_transform</c>. Parity: exact.
/// </remarks>
internal static class GridSampler
{
    /// <summary>Samples one row of the result.</summary>
    /// <param name="image">The source.</param>
    /// <param name="placesX">Where each pixel comes from, along rows.</param>
    /// <param name="placesY">Where each pixel comes from, along columns.</param>
    /// <param name="interpolation">Nearest or bilinear.</param>
    /// <param name="fill">Color of what comes from outside; null leaves it black without blending at the border.</param>
    /// <param name="row">Receives the pixels.</param>
    public static unsafe void SampleRow(
        Image image, ReadOnlySpan<float> placesX, ReadOnlySpan<float> placesY, Interpolation interpolation, FillColor? fill, Span<byte> row)
    {
        var done = 0;
        if (interpolation != Interpolation.Nearest && GridVectors.IsSupported)
        {
            fixed (byte* source = image.Pixels, target = row)
            {
                for (; done + GridVectors.Count <= placesX.Length; done += GridVectors.Count)
                {
                    var x = ToPixel(Vector256.Create(placesX[done..]), image.Width);
                    var y = ToPixel(Vector256.Create(placesY[done..]), image.Height);
                    if (!GridVectors.TryBilinear(source, image, x, y, fill, target + (3 * done)))
                    {
                        SampleRow(image, placesX, placesY, done, done + GridVectors.Count, interpolation, fill, row);
                    }
                }
            }
        }

        SampleRow(image, placesX, placesY, done, placesX.Length, interpolation, fill, row);
    }

    // Pixels one by one.
    private static void SampleRow(
        Image image, ReadOnlySpan<float> placesX, ReadOnlySpan<float> placesY, int from, int to, Interpolation interpolation, FillColor? fill, Span<byte> row)
    {
        for (var i = from; i < to; i++)
        {
            var x = ToPixel(placesX[i], image.Width);
            var y = ToPixel(placesY[i], image.Height);
            var pixel = row.Slice(3 * i, 3);
            if (interpolation == Interpolation.Nearest)
            {
                Nearest(image, x, y, fill ?? default, pixel);
            }
            else
            {
                Bilinear(image, x, y, fill, pixel);
            }
        }
    }

    private static float ToPixel(float place, int size) => MathF.FusedMultiplyAdd(place + 1, size / 2f, -0.5f);

    private static Vector256<float> ToPixel(Vector256<float> places, int size) =>
        Vector256.FusedMultiplyAdd(places + Vector256<float>.One, Vector256.Create(size / 2f), Vector256.Create(-0.5f));

    private static void Nearest(Image image, float x, float y, FillColor fill, Span<byte> pixel)
    {
        var (column, row) = (MathF.Round(x), MathF.Round(y));
        if (column >= 0 && column < image.Width && row >= 0 && row < image.Height)
        {
            image.Row((int)row).Slice(3 * (int)column, 3).CopyTo(pixel);
        }
        else
        {
            (pixel[0], pixel[1], pixel[2]) = ((byte)fill.Red, (byte)fill.Green, (byte)fill.Blue);
        }
    }

    private static void Bilinear(Image image, float x, float y, FillColor? fill, Span<byte> pixel)
    {
        var (left, top) = (MathF.Floor(x), MathF.Floor(y));
        var (east, south) = (x - left, y - top);
        var (west, north) = (1 - east, 1 - south);
        var corners = new Corners(image, left, top, north * west, north * east, south * west, south * east);
        var covered = fill is null ? 1 : corners.Sum(1, 1, 1, 1);
        for (var channel = 0; channel < 3; channel++)
        {
            var level = corners.Sum(channel);
            if (fill is { } color)
            {
                var background = channel == 0 ? color.Red : channel == 1 ? color.Green : color.Blue;
                level = ((level - background) * covered) + background;
            }

            pixel[channel] = (byte)MathF.Round(level);
        }
    }

    /// <summary>The four pixels around a place and their weights; a pixel outside counts as 0.</summary>
    private readonly ref struct Corners
    {
        private readonly ReadOnlySpan<byte> _pixels;
        private readonly int _upperLeft;
        private readonly int _rowLength;
        private readonly bool _hasLeft, _hasRight, _hasTop, _hasBottom;
        private readonly float _northWest, _northEast, _southWest, _southEast;

        public Corners(Image image, float left, float top, float northWest, float northEast, float southWest, float southEast)
        {
            _pixels = image.Pixels;
            _rowLength = 3 * image.Width;
            (_hasLeft, _hasRight) = (left >= 0 && left < image.Width, left >= -1 && left < image.Width - 1);
            (_hasTop, _hasBottom) = (top >= 0 && top < image.Height, top >= -1 && top < image.Height - 1);
            var inReach = (_hasLeft || _hasRight) && (_hasTop || _hasBottom);
            _upperLeft = inReach ? ((int)top * _rowLength) + (3 * (int)left) : 0;
            (_northWest, _northEast, _southWest, _southEast) = (northWest, northEast, southWest, southEast);
        }

        public float Sum(int channel) => Sum(
            _hasTop && _hasLeft ? _pixels[_upperLeft + channel] : 0,
            _hasTop && _hasRight ? _pixels[_upperLeft + 3 + channel] : 0,
            _hasBottom && _hasLeft ? _pixels[_upperLeft + _rowLength + channel] : 0,
            _hasBottom && _hasRight ? _pixels[_upperLeft + _rowLength + 3 + channel] : 0);

        // torch adds from the north-west to the south-east, one fused multiply-add each.
        public float Sum(float northWest, float northEast, float southWest, float southEast)
        {
            var sum = (_hasTop && _hasLeft ? northWest : 0) * _northWest;
            sum = MathF.FusedMultiplyAdd(_hasTop && _hasRight ? northEast : 0, _northEast, sum);
            sum = MathF.FusedMultiplyAdd(_hasBottom && _hasLeft ? southWest : 0, _southWest, sum);
            return MathF.FusedMultiplyAdd(_hasBottom && _hasRight ? southEast : 0, _southEast, sum);
        }
    }
}
