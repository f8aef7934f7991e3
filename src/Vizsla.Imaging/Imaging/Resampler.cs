
namespace Vizsla.Imaging;

/// <summary>Resizes pictures as Pillow does.</summary>
internal static class Resampler
{
    /// <summary>Resizes a picture, or a part of it, to a size.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="width">Target width in pixels, at least 1.</param>
    /// <param name="height">Target height in pixels, at least 1.</param>
    /// <param name="interpolation">How pixels are weighed; filters other than nearest widen with the reduction (antialias).</param>
    /// <param name="box">The part of the picture to take, in pixels with fractions, within the picture; null takes the whole.</param>
    /// <returns>A new picture of that size, also where nothing changes; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The box is empty or reaches beyond the picture.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A side is below 1, or the interpolation is unknown.</exception>
    /// <remarks>Source: Pillow <c>Image.resize(size, resample, box)</c>. Parity: exact.</remarks>
    public static Image Resize(
        Image image, int width, int height, Interpolation interpolation, (double Left, double Top, double Right, double Bottom)? box = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (!Enum.IsDefined(interpolation))
        {
            throw new ArgumentOutOfRangeException(
                nameof(interpolation), interpolation, $"Unknown interpolation {(int)interpolation}. Known: {string.Join(", ", Enum.GetNames<Interpolation>())}.");
        }

        // Pillow keeps the box in single precision.
        var (left, top, right, bottom) = box is { } part
            ? ((float)part.Left, (float)part.Top, (float)part.Right, (float)part.Bottom)
            : (0f, 0f, image.Width, image.Height);
        if (!(left >= 0 && top >= 0 && right <= image.Width && bottom <= image.Height && right >= left && bottom >= top))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The box ({left}, {top}, {right}, {bottom}) does not lie within the {image.Width}x{image.Height} picture."), nameof(box));
        }

        Image.CheckStep(width, height);
        var horizontal = width != image.Width || left != 0 || right != width;
        var vertical = height != image.Height || top != 0 || bottom != height;
        if (!horizontal && !vertical)
        {
            return image.Clone();
        }

        if (interpolation is Interpolation.Nearest or Interpolation.NearestExact)
        {
            return Nearest(image, width, height, left, top, right, bottom);
        }

        using var columns = horizontal ? ResampleWeights.Compute(image.Width, left, right, width, interpolation) : null;
        using var rows = vertical ? ResampleWeights.Compute(image.Height, top, bottom, height, interpolation) : null;
        var result = new Image(width, height);
        if (columns is null)
        {
            Down(image, 0, rows!, result);
        }
        else if (rows is null)
        {
            Across(image, 0, columns, result);
        }
        else if (VerticalFirst(image, width, height))
        {
            using var low = new Image(image.Width, height);
            Down(image, 0, rows, low);
            Across(low, 0, columns, result);
        }
        else
        {
            var first = rows.First[0];
            using var narrow = new Image(width, rows.End - first);
            Across(image, first, columns, narrow);
            Down(narrow, first, rows, result);
        }

        return result;
    }

    // Each pass rounds to 8 bits, so the order shows. Pillow 13.0.0 begins with the columns when that removes more than twice as many rows
    // as the other pass removes columns, whatever the box (its output decides so in each of 11,000 random cases).
    private static bool VerticalFirst(Image image, int width, int height) =>
        height < image.Height && image.Height - height > 2L * (image.Width - width);

    private static Image Nearest(Image image, int width, int height, float left, float top, float right, float bottom)
    {
        var result = new Image(width, height);
        var positions = PixelPool<int>.Shared.Rent(width + height);
        var columns = positions.AsSpan(0, width);
        var rows = positions.AsSpan(width, height);
        FillPositions(columns, left, right, image.Width);
        FillPositions(rows, top, bottom, image.Height);
        for (var y = 0; y < height; y++)
        {
            var source = image.Row(rows[y]);
            var target = result.Row(y);
            for (var x = 0; x < columns.Length; x++)
            {
                source.Slice(3 * columns[x], 3).CopyTo(target[(3 * x)..]);
            }
        }

        PixelPool<int>.Shared.Return(positions);
        return result;
    }

    // The position grows by addition, as in Pillow: the rounding of each step counts.
    private static void FillPositions(Span<int> positions, float from, float to, int sourceSize)
    {
        var scale = (double)(to - from) / positions.Length;
        var position = from + scale * 0.5;
        foreach (ref var value in positions)
        {
            value = Math.Min((int)position, sourceSize - 1);
            position += scale;
        }
    }

    private static unsafe void Across(Image image, int firstRow, ResampleWeights weights, Image result)
    {
        fixed (byte* source = image.Pixels, target = result.Pixels)
        {
            // The vector code reads a little beyond what it needs, so the last rows are read from a copy with room behind it.
            var (sourceStride, targetStride) = (3 * image.Width, 3 * result.Width);
            var copied = Math.Min((ResampleKernels.Overrun + sourceStride - 1) / sourceStride + 3, result.Height);
            var direct = (result.Height - copied) & ~3;
            copied = result.Height - direct;
            ResampleKernels.Horizontal(source + (long)firstRow * sourceStride, sourceStride, target, targetStride, direct, weights);
            var last = PixelPool<byte>.Shared.Rent(copied * sourceStride + ResampleKernels.Overrun);
            image.Pixels.Slice((firstRow + direct) * sourceStride, copied * sourceStride).CopyTo(last);
            fixed (byte* copy = last)
            {
                ResampleKernels.Horizontal(copy, sourceStride, target + (long)direct * targetStride, targetStride, copied, weights);
            }

            PixelPool<byte>.Shared.Return(last);
        }
    }

    private static unsafe void Down(Image image, int firstRow, ResampleWeights weights, Image result)
    {
        fixed (byte* source = image.Pixels, target = result.Pixels)
        {
            var stride = 3 * image.Width;
            for (var y = 0; y < weights.Length; y++)
            {
                ResampleKernels.Vertical(source + (long)(weights.First[y] - firstRow) * stride, stride, target + (long)y * stride, stride, weights, y);
            }
        }
    }
}

/// <summary>How a resize weighs the pixels of the source; the numbers are Pillow's, as <c>resample</c> in a <c>preprocessor_config.json</c> holds them.</summary>
/// <remarks>Source: Pillow <c>Image.Resampling</c>; torchvision <c>InterpolationMode</c>. Parity: exact.</remarks>
public enum Interpolation
{
    /// <summary>The one pixel below the center of the target pixel.</summary>
    Nearest = 0,

    /// <summary>Windowed sinc over 3 source pixels to either side.</summary>
    Lanczos = 1,

    /// <summary>Triangle over 1 source pixel to either side.</summary>
    Bilinear = 2,

    /// <summary>Cubic with a = -0.5 over 2 source pixels to either side.</summary>
    Bicubic = 3,

    /// <summary>Mean of the source pixels that the target pixel covers.</summary>
    Box = 4,

    /// <summary>Hamming-windowed sinc over 1 source pixel to either side.</summary>
    Hamming = 5,

    /// <summary>torchvision's <c>nearest-exact</c>, which on 8-bit pictures is <see cref="Nearest"/>.</summary>
    NearestExact = 6,
}
