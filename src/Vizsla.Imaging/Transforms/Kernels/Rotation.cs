using System.Globalization;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Rotates pictures as Pillow's <c>Image.rotate</c> does.</summary>
internal static class Rotation
{
    /// <summary>Rotates counter-clockwise.</summary>
    /// <returns>A picture of its own, or the argument itself for a whole turn.</returns>
    public static Image Rotate(Image image, double degrees, Interpolation interpolation, bool expand, (double X, double Y)? center, FillColor fill)
    {
        var angle = degrees - (360 * Math.Floor(degrees / 360));
        if (center is null)
        {
            switch (angle)
            {
                case 0:
                    return image;
                case 180:
                    return Flip.Both(image);
                case 90 when expand || image.Width == image.Height:
                    return Flip.QuarterTurn(image);
                case 270 when expand || image.Width == image.Height:
                    using (var half = Flip.Both(image))
                    {
                        return Flip.QuarterTurn(half);
                    }
            }
        }

        var (width, height) = (image.Width, image.Height);
        var (centerX, centerY) = center ?? (width / 2.0, height / 2.0);
        var radians = -AffineMatrix.Radians(angle);
        var (cosine, sine) = (RoundTo15(Math.Cos(radians)), RoundTo15(Math.Sin(radians)));
        var matrix = new AffineMatrix(cosine, sine, 0, RoundTo15(-Math.Sin(radians)), cosine, 0);
        var (shiftX, shiftY) = matrix.Map(-centerX, -centerY);
        matrix = matrix with { C = shiftX + centerX, F = shiftY + centerY };
        if (expand)
        {
            (width, height) = Expand(image, matrix);
            var (moveX, moveY) = matrix.Map(-(width - image.Width) / 2.0, -(height - image.Height) / 2.0);
            matrix = matrix with { C = moveX, F = moveY };
        }

        return AffineSampler.Transform(image, width, height, matrix, interpolation, fill);
    }

    private static (int Width, int Height) Expand(Image image, AffineMatrix matrix)
    {
        var (right, bottom) = (image.Width, image.Height);
        ReadOnlySpan<(double X, double Y)> corners = [matrix.Map(0, 0), matrix.Map(right, 0), matrix.Map(right, bottom), matrix.Map(0, bottom)];
        var (minX, maxX, minY, maxY) = (double.MaxValue, double.MinValue, double.MaxValue, double.MinValue);
        foreach (var (x, y) in corners)
        {
            (minX, maxX) = (Math.Min(minX, x), Math.Max(maxX, x));
            (minY, maxY) = (Math.Min(minY, y), Math.Max(maxY, y));
        }

        return ((int)Math.Ceiling(maxX) - (int)Math.Floor(minX), (int)Math.Ceiling(maxY) - (int)Math.Floor(minY));
    }

    // Python's round(x, 15) rounds the exact decimal expansion, which Math.Round, scaling by 1e15 first, does not.
    private static double RoundTo15(double value)
    {
        Span<char> digits = stackalloc char[24];
        value.TryFormat(digits, out var length, "F15", CultureInfo.InvariantCulture);
        return double.Parse(digits[..length], NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}
