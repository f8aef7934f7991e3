using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Moves a picture through an affine map as Pillow's <c>Image.transform(AFFINE)</c> does.</summary>
internal static class AffineSampler
{
    private const int One = 1 << 16;

    /// <summary>Samples the source at the map of each pixel of the result.</summary>
    public static Image Transform(Image image, int width, int height, AffineMatrix matrix, Interpolation interpolation, FillColor fill)
    {
        var result = new Image(width, height);
        Fill(result, fill);
        if (interpolation == Interpolation.Nearest)
        {
            Nearest(image, result, matrix);
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

    // Pillow walks in 16.16 fixed point from the center of the first pixel.
    private static void Nearest(Image image, Image result, AffineMatrix matrix)
    {
        var (a, b, d, e) = (Fixed(matrix.A), Fixed(matrix.B), Fixed(matrix.D), Fixed(matrix.E));
        var rowX = Fixed(matrix.C + (matrix.A * 0.5) + (matrix.B * 0.5));
        var rowY = Fixed(matrix.F + (matrix.D * 0.5) + (matrix.E * 0.5));
        var source = image.Pixels;
        for (var y = 0; y < result.Height; y++)
        {
            var row = result.Row(y);
            var (fromX, fromY) = (rowX, rowY);
            for (var x = 0; x < row.Length; x += 3)
            {
                var (sourceX, sourceY) = (fromX >> 16, fromY >> 16);
                if ((uint)sourceX < (uint)image.Width && (uint)sourceY < (uint)image.Height)
                {
                    source.Slice(3 * ((sourceY * image.Width) + sourceX), 3).CopyTo(row[x..]);
                }

                fromX += a;
                fromY += d;
            }

            rowX += b;
            rowY += e;
        }
    }

    private static int Fixed(double value) => (int)Math.Floor((value * One) + 0.5);
}
