using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Moves a picture through an affine map as Pillow's <c>Image.transform(AFFINE)</c> does.</summary>
/// <remarks>Source: Pillow <c>ImagingTransformAffine</c>: nearest pixels are found by its scale path, else in 16.16 fixed point. Parity: exact.</remarks>
internal static class AffineSampler
{
    private const int One = 1 << 16;
    private const double FixedLimit = 32768;

    /// <summary>Samples the source at the map of each pixel of the result.</summary>
    public static Image Transform(Image image, int width, int height, AffineMatrix matrix, Interpolation interpolation, FillColor fill)
    {
        var result = Image.OfStep(width, height);
        Fill(result, fill);
        if (interpolation != Interpolation.Nearest)
        {
            PixelSampler.Sample(image, result, matrix, interpolation);
        }
        else if (matrix is { B: 0, D: 0 })
        {
            NearestScaled(image, result, matrix);
        }
        else if (FitsFixedPoint(matrix, width, height))
        {
            NearestFixed(image, result, matrix);
        }
        else
        {
            NearestFloating(image, result, matrix);
        }

        return result;
    }

    /// <summary>Paints the whole picture.</summary>
    public static void Fill(Image image, FillColor fill)
    {
        var pixels = image.Pixels;
        if (fill.Red == fill.Green && fill.Green == fill.Blue)
        {
            pixels.Fill((byte)fill.Red);
            return;
        }

        for (var i = 0; i < pixels.Length; i += 3)
        {
            (pixels[i], pixels[i + 1], pixels[i + 2]) = ((byte)fill.Red, (byte)fill.Green, (byte)fill.Blue);
        }
    }

    private static bool FitsFixedPoint(AffineMatrix matrix, int width, int height)
    {
        ReadOnlySpan<(double X, double Y)> corners = [matrix.Map(0, 0), matrix.Map(width, height), matrix.Map(0, height), matrix.Map(width, 0)];
        foreach (var (x, y) in corners)
        {
            if (!(Math.Abs(x) < FixedLimit && Math.Abs(y) < FixedLimit))
            {
                return false;
            }
        }

        return true;
    }

    private static void NearestFixed(Image image, Image result, AffineMatrix matrix)
    {
        var (a, b, d, e) = (Fixed(matrix.A), Fixed(matrix.B), Fixed(matrix.D), Fixed(matrix.E));
        var rowX = Fixed(matrix.C + (matrix.A * 0.5) + (matrix.B * 0.5));
        var rowY = Fixed(matrix.F + (matrix.D * 0.5) + (matrix.E * 0.5));
        ref var source = ref MemoryMarshal.GetReference(image.Pixels);
        for (var y = 0; y < result.Height; y++)
        {
            var (firstX, lastX) = Inside(rowX, a, image.Width, result.Width);
            var (firstY, lastY) = Inside(rowY, d, image.Height, result.Width);
            var (first, last) = (Math.Max(firstX, firstY), Math.Min(lastX, lastY));
            ref var target = ref MemoryMarshal.GetReference(result.Row(y));
            var x = NearestVectors.IsSupported ? NearestVectors.Sample(image, ref source, ref target, first, last, (rowX, a), (rowY, d)) : first;
            var fromX = rowX + (x * a);
            var fromY = rowY + (x * d);
            for (; x < last; x++)
            {
                // A pixel is two bytes and one more; both lie inside, as the column does.
                ref var pixel = ref Unsafe.Add(ref source, 3 * (((fromY >> 16) * image.Width) + (fromX >> 16)));
                ref var place = ref Unsafe.Add(ref target, 3 * x);
                Unsafe.WriteUnaligned(ref place, Unsafe.ReadUnaligned<ushort>(ref pixel));
                Unsafe.Add(ref place, 2) = Unsafe.Add(ref pixel, 2);
                fromX += a;
                fromY += d;
            }

            rowX += b;
            rowY += e;
        }
    }

    // The columns of the result whose source, start + column * step in 16.16, lies within 0 to size.
    private static (int First, int Last) Inside(long start, long step, long size, int count)
    {
        var end = size << 16;
        if (step == 0)
        {
            return start >= 0 && start < end ? (0, count) : (0, 0);
        }

        var (low, high) = step > 0
            ? (CeilingDivide(-start, step), CeilingDivide(end - start, step))
            : (CeilingDivide(start - end + 1, -step), CeilingDivide(start + 1, -step));
        return ((int)Math.Clamp(low, 0, count), (int)Math.Clamp(high, 0, count));
    }

    private static long CeilingDivide(long number, long divisor) => number > 0 ? (number + divisor - 1) / divisor : number / divisor;

    // Without rotation Pillow walks in floating point, column by column and row by row.
    private static void NearestScaled(Image image, Image result, AffineMatrix matrix)
    {
        var columns = new int[result.Width];
        var fromX = matrix.C + (matrix.A * 0.5);
        for (var x = 0; x < columns.Length; x++)
        {
            columns[x] = fromX >= 0 && fromX < image.Width ? 3 * (int)fromX : -1;
            fromX += matrix.A;
        }

        var fromY = matrix.F + (matrix.E * 0.5);
        for (var y = 0; y < result.Height; y++)
        {
            if (fromY >= 0 && fromY < image.Height)
            {
                var source = image.Row((int)fromY);
                var row = result.Row(y);
                for (var x = 0; x < columns.Length; x++)
                {
                    if (columns[x] >= 0)
                    {
                        source.Slice(columns[x], 3).CopyTo(row[(3 * x)..]);
                    }
                }
            }

            fromY += matrix.E;
        }
    }

    private static void NearestFloating(Image image, Image result, AffineMatrix matrix)
    {
        var rowX = matrix.C + (matrix.B * 0.5) + (matrix.A * 0.5);
        var rowY = matrix.F + (matrix.E * 0.5) + (matrix.D * 0.5);
        for (var y = 0; y < result.Height; y++)
        {
            var row = result.Row(y);
            var (fromX, fromY) = (rowX, rowY);
            for (var x = 0; x < row.Length; x += 3)
            {
                if (fromX >= 0 && fromX < image.Width && fromY >= 0 && fromY < image.Height)
                {
                    image.Row((int)fromY).Slice(3 * (int)fromX, 3).CopyTo(row[x..]);
                }

                fromX += matrix.A;
                fromY += matrix.D;
            }

            rowX += matrix.B;
            rowY += matrix.E;
        }
    }

    private static int Fixed(double value) => (int)Math.Floor((value * One) + 0.5);
}
