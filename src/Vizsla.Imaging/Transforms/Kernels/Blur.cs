using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Gaussian blur as torchvision computes it: a float32 convolution with reflected borders, rounded half to even.</summary>
/// <remarks>Source: torchvision <c>gaussian_blur_image</c>. Parity: exact.</remarks>
internal static class Blur
{
    /// <summary>Whether this thread blurs planes along rows and then along columns, which rounds otherwise and is many times as fast; for copies that are shown small or lose more by their encoding.</summary>
    [ThreadStatic]
    internal static bool IsRough;

    /// <summary>Blurs a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="width">Width of the kernel, odd.</param>
    /// <param name="height">Height of the kernel, odd.</param>
    /// <param name="sigmaX">Standard deviation along rows, in pixels.</param>
    /// <param name="sigmaY">Standard deviation along columns, in pixels.</param>
    /// <exception cref="ArgumentException">The picture is too small to be reflected at its border.</exception>
    public static Image Gaussian(Image image, int width, int height, double sigmaX, double sigmaY)
    {
        CheckSize(image.Width, image.Height, width, height);
        var (radiusX, radiusY) = (width / 2, height / 2);
        var rowLength = 3 * (image.Width + (2 * radiusX));
        var buffer = PixelPool<float>.Shared.Rent((width * height) + (height * rowLength) + (3 * image.Width));
        var weights = buffer.AsSpan(0, width * height);
        var rows = buffer.AsSpan(weights.Length, height * rowLength);
        var sums = buffer.AsSpan(weights.Length + rows.Length, 3 * image.Width);
        Weights(weights, width, height, sigmaX, sigmaY);
        var result = new Image(image.Width, image.Height);

        // The rows under the kernel stand in a ring: each source row is turned into floats once.
        for (var y = -radiusY; y < radiusY; y++)
        {
            Load(image, y, radiusX, rows.Slice((y + radiusY) * rowLength, rowLength));
        }

        for (var y = 0; y < image.Height; y++)
        {
            Load(image, y + radiusY, radiusX, rows.Slice((y + height - 1) % height * rowLength, rowLength));
            Convolution.Row(rows, rowLength, y % height, weights, width, 3, sums);
            ByteFloats.RoundToEven(sums, result.Row(y));
        }

        PixelPool<float>.Shared.Return(buffer);
        return result;
    }

    /// <summary>Blurs one plane of floats in place.</summary>
    public static void Gaussian(Memory<float> plane, int planeWidth, int planeHeight, int width, int height, double sigmaX, double sigmaY)
    {
        CheckSize(planeWidth, planeHeight, width, height);
        var (radiusX, radiusY) = (width / 2, height / 2);
        var rowLength = planeWidth + (2 * radiusX);
        var source = PixelPool<float>.Shared.Rent(rowLength * (planeHeight + (2 * radiusY)));
        for (var y = -radiusY; y < planeHeight + radiusY; y++)
        {
            var row = source.AsSpan((y + radiusY) * rowLength, rowLength);
            var line = plane.Span.Slice(Reflect(y, planeHeight) * planeWidth, planeWidth);
            line.CopyTo(row[radiusX..]);
            for (var i = 1; i <= radiusX; i++)
            {
                row[radiusX - i] = line[i];
                row[^(radiusX - i + 1)] = line[^(i + 1)];
            }
        }

        if (IsRough)
        {
            AlongRowsThenColumns(source, rowLength, plane, planeWidth, planeHeight, (width, sigmaX), (height, sigmaY));
        }
        else
        {
            var kernel = new float[width * height];
            Weights(kernel, width, height, sigmaX, sigmaY);
            var weights = PlaneConvolution.Pad(kernel, width);
            RowBands.Run(planeWidth, planeHeight, (from, to) => PlaneConvolution.Rows(source, rowLength, weights, width, height, from, to, plane.Span));
        }

        PixelPool<float>.Shared.Return(source);
    }

    private static void AlongRowsThenColumns(
        float[] source, int rowLength, Memory<float> plane, int planeWidth, int planeHeight, (int Length, double Sigma) rows, (int Length, double Sigma) columns)
    {
        var (across, down) = (new float[rows.Length], new float[columns.Length]);
        GaussianKernel.Fill(across, rows.Sigma);
        GaussianKernel.Fill(down, columns.Sigma);
        var height = planeHeight + columns.Length - 1;
        var middle = PixelPool<float>.Shared.Rent(planeWidth * height);
        RowBands.Run(planeWidth, height, (from, to) =>
        {
            for (var y = from; y < to; y++)
            {
                Convolution.Row(source.AsSpan(y * rowLength, rowLength), rowLength, 0, across, across.Length, 1, middle.AsSpan(y * planeWidth, planeWidth));
            }
        });
        var weights = PlaneConvolution.Pad(down, 1);
        RowBands.Run(planeWidth, planeHeight, (from, to) => PlaneConvolution.Rows(middle, planeWidth, weights, 1, down.Length, from, to, plane.Span));
        PixelPool<float>.Shared.Return(middle);
    }

    private static void CheckSize(int imageWidth, int imageHeight, int width, int height)
    {
        if (width / 2 >= imageWidth || height / 2 >= imageHeight)
        {
            throw new ArgumentException(
                $"A Gaussian kernel of {width}x{height} reflects {width / 2} columns and {height / 2} rows at the border, "
                + $"and a {imageWidth}x{imageHeight} picture has too few; use a smaller kernel or a larger picture.");
        }
    }

    private static void Weights(Span<float> weights, int width, int height, double sigmaX, double sigmaY)
    {
        Span<float> kernelX = width <= 256 ? stackalloc float[width] : new float[width];
        Span<float> kernelY = height <= 256 ? stackalloc float[height] : new float[height];
        GaussianKernel.Fill(kernelX, sigmaX);
        GaussianKernel.Fill(kernelY, sigmaY);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                weights[(y * width) + x] = kernelY[y] * kernelX[x];
            }
        }
    }

    // One row as floats with its border reflected.
    private static void Load(Image image, int y, int radius, Span<float> row)
    {
        var source = image.Row(Reflect(y, image.Height));
        var inner = row.Slice(3 * radius, source.Length);
        ByteFloats.Widen(source, inner);
        for (var i = 1; i <= radius; i++)
        {
            inner.Slice(3 * i, 3).CopyTo(row[(3 * (radius - i))..]);
            inner.Slice(inner.Length - (3 * (i + 1)), 3).CopyTo(row[(row.Length - (3 * (radius - i + 1)))..]);
        }
    }

    private static int Reflect(int position, int length) =>
        position < 0 ? -position : position >= length ? (2 * length) - 2 - position : position;
}
