using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>The policies' operations with torchvision's arithmetic on 8-bit tensors, which AugMix uses on pictures too.</summary>
/// <remarks>Source: torchvision <c>v2.functional</c>, kernels of tensors. Parity: exact.</remarks>
internal static class TensorOperations
{
    private const float Side = (float)(1.0 / 13.0);
    private const float Middle = (float)(5.0 / 13.0);

    /// <summary>Applies an operation.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="strength">Its strength with sign, in the operation's own unit.</param>
    /// <param name="interpolation">Nearest or bilinear, for operations that move pixels.</param>
    /// <param name="fill">Color of what comes from outside; null leaves it black.</param>
    /// <returns>A picture of its own, or the argument itself.</returns>
    public static Image Apply(Image image, AugmentOperation operation, double strength, Interpolation interpolation, FillColor? fill)
    {
        // Here the origin is the middle of the picture.
        (double X, double Y) corner = (-image.Width * 0.5, -image.Height * 0.5);
        return operation switch
        {
            AugmentOperation.ShearX => Affine(corner, 0, (0, 0), (PictureOperations.ShearAngle(strength), 0)),
            AugmentOperation.ShearY => Affine(corner, 0, (0, 0), (0, PictureOperations.ShearAngle(strength))),
            AugmentOperation.TranslateX => Affine((0, 0), 0, ((int)strength, 0), (0, 0)),
            AugmentOperation.TranslateY => Affine((0, 0), 0, (0, (int)strength), (0, 0)),
            AugmentOperation.Rotate when strength == 0 => image,
            AugmentOperation.Rotate => Affine((0, 0), -(strength - (360 * Math.Floor(strength / 360))), (0, 0), (0, 0)),
            AugmentOperation.Brightness => Blend(image, (float)(1 + strength), 0, static (_, _, _) => 0f),
            AugmentOperation.Color => Blend(image, (float)(1 + strength), (float)(1 - (1 + strength)), Gray),
            AugmentOperation.Contrast => Contrast(image, 1 + strength),
            AugmentOperation.Sharpness => Sharpness(image, 1 + strength),
            AugmentOperation.Posterize => Levels.Posterize(image, (int)strength),
            AugmentOperation.Solarize => Levels.Solarize(image, (float)(255 * strength)),
            AugmentOperation.AutoContrast => AutoContrast(image),
            AugmentOperation.Equalize => Levels.Equalize(image),
            AugmentOperation.Invert => Levels.Invert(image),
            _ => image,
        };

        Image Affine((double X, double Y) center, double degrees, (double X, double Y) translate, (double X, double Y) shear) =>
            Move(image, AffineMatrix.Inverse(center, degrees, translate, 1, shear), interpolation, fill);
    }

    private static Image Move(Image image, AffineMatrix matrix, Interpolation interpolation, FillColor? fill)
    {
        var (width, height) = (image.Width, image.Height);
        var (halfWidth, halfHeight) = ((float)(0.5 * width), (float)(0.5 * height));
        var (a, b, c) = ((float)matrix.A / halfWidth, (float)matrix.B / halfWidth, (float)matrix.C / halfWidth);
        var (d, e, f) = ((float)matrix.D / halfHeight, (float)matrix.E / halfHeight, (float)matrix.F / halfHeight);
        var buffer = PixelPool<float>.Shared.Rent(3 * width);
        var columns = buffer.AsSpan(0, width);
        var placesX = buffer.AsSpan(width, width);
        var placesY = buffer.AsSpan(2 * width, width);
        Linspace.Fill(columns, (1.0 - width) * 0.5, (width - 1.0) * 0.5);
        var result = Image.OfStep(width, height);
        for (var y = 0; y < height; y++)
        {
            var row = Linspace.At((float)((1.0 - height) * 0.5), (float)((height - 1.0) * 0.5), y, height);
            for (var x = 0; x < width; x++)
            {
                placesX[x] = (columns[x] * a) + (row * b) + c;
                placesY[x] = (columns[x] * d) + (row * e) + f;
            }

            GridSampler.SampleRow(image, placesX, placesY, interpolation, fill, result.Row(y));
        }

        PixelPool<float>.Shared.Return(buffer);
        return result;
    }

    // torch adds with a factor in one fused multiply-add.
    private static float Gray(byte red, byte green, byte blue) =>
        MathF.Floor(MathF.FusedMultiplyAdd(blue, 0.114f, MathF.FusedMultiplyAdd(green, 0.587f, red * 0.2989f)));

    private static Image Blend(Image image, float factor, float rest, Func<byte, byte, byte, float> other)
    {
        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        for (var i = 0; i < source.Length; i += 3)
        {
            var poorer = other(source[i], source[i + 1], source[i + 2]);
            for (var channel = i; channel < i + 3; channel++)
            {
                target[channel] = Truncate(MathF.FusedMultiplyAdd(poorer, rest, source[channel] * factor));
            }
        }

        return result;
    }

    private static Image Contrast(Image image, double factor)
    {
        // Grays are whole numbers, so their sum in double is exact.
        var sum = 0.0;
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i += 3)
        {
            sum += Gray(pixels[i], pixels[i + 1], pixels[i + 2]);
        }

        var mean = (float)sum / (image.Width * image.Height);
        return Blend(image, (float)factor, (float)(1 - factor), (_, _, _) => mean);
    }

    private static Image Sharpness(Image image, double factor)
    {
        if (image.Width <= 2 || image.Height <= 2)
        {
            return image;
        }

        var rest = (float)(1 - factor);
        var result = image.Clone();
        ReadOnlySpan<float> weights = [Side, Side, Side, Side, Middle, Side, Side, Side, Side];
        for (var y = 1; y < image.Height - 1; y++)
        {
            var source = image.Row(y);
            var target = result.Row(y);
            for (var i = 3; i < source.Length - 3; i++)
            {
                var sum = 0f;
                for (var k = 0; k < weights.Length; k++)
                {
                    sum = MathF.FusedMultiplyAdd(weights[k], image.Row(y - 1 + (k / 3))[i + (3 * ((k % 3) - 1))], sum);
                }

                target[i] = Truncate(MathF.FusedMultiplyAdd(MathF.Round(sum) - source[i], rest, source[i]));
            }
        }

        return result;
    }

    private static Image AutoContrast(Image image)
    {
        Span<int> histogram = stackalloc int[3 * 256];
        Levels.Histogram(image, histogram);
        Span<byte> tables = stackalloc byte[3 * 256];
        for (var channel = 0; channel < 3; channel++)
        {
            var counts = histogram.Slice(channel * 256, 256);
            var (low, high) = (counts.IndexOfAnyExcept(0), counts.LastIndexOfAnyExcept(0));
            var scale = (high - low) * (float)(1.0 / 255);
            for (var level = 0; level < 256; level++)
            {
                tables[(channel * 256) + level] = low == high ? (byte)level : Truncate((level - low) / scale);
            }
        }

        return Levels.Apply(image, tables);
    }

    private static byte Truncate(float level) => (byte)Math.Clamp(level, 0f, 255f);
}
