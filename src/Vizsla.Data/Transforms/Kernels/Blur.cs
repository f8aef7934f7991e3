using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Gaussian blur as torchvision computes it: a float32 convolution with reflected borders, rounded half to even.</summary>
internal static class Blur
{
    /// <summary>Blurs a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="width">Width of the kernel, odd.</param>
    /// <param name="height">Height of the kernel, odd.</param>
    /// <param name="sigmaX">Standard deviation along rows, in pixels.</param>
    /// <param name="sigmaY">Standard deviation along columns, in pixels.</param>
    public static Image Gaussian(Image image, int width, int height, double sigmaX, double sigmaY)
    {
        if (width / 2 >= image.Width || height / 2 >= image.Height)
        {
            throw new ArgumentException(
                $"GaussianBlur reflects {width / 2} columns and {height / 2} rows at the border, more than a {image.Width}x{image.Height} picture has; use a smaller kernel_size.",
                nameof(image));
        }

        Span<float> kernelX = stackalloc float[width];
        Span<float> kernelY = stackalloc float[height];
        Kernel(kernelX, sigmaX);
        Kernel(kernelY, sigmaY);
        var result = new Image(image.Width, image.Height);
        for (var y = 0; y < image.Height; y++)
        {
            var target = result.Row(y);
            for (var i = 0; i < target.Length; i++)
            {
                var (x, channel) = Math.DivRem(i, 3);
                var sum = 0f;
                for (var ky = 0; ky < height; ky++)
                {
                    var row = image.Row(Reflect(y + ky - (height / 2), image.Height));
                    for (var kx = 0; kx < width; kx++)
                    {
                        sum = MathF.FusedMultiplyAdd(kernelY[ky] * kernelX[kx], row[(3 * Reflect(x + kx - (width / 2), image.Width)) + channel], sum);
                    }
                }

                target[i] = (byte)MathF.Round(sum);
            }
        }

        return result;
    }

    private static int Reflect(int position, int length) =>
        position < 0 ? -position : position >= length ? (2 * length) - 2 - position : position;

    private static void Kernel(Span<float> kernel, double sigma)
    {
        var limit = (kernel.Length - 1) / (2.0 * Math.Sqrt(2.0));
        var sum = 0f;
        for (var i = 0; i < kernel.Length; i++)
        {
            var x = (float)(kernel.Length == 1 ? -limit : -limit + (i * (2 * limit / (kernel.Length - 1)))) / (float)sigma;
            kernel[i] = MathF.Exp(-(x * x));
            sum += kernel[i];
        }

        foreach (ref var weight in kernel)
        {
            weight /= sum;
        }
    }
}
