using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Draws rectangles of random area and shape, as <c>RandomResizedCrop</c> and <c>RandomErasing</c> do.</summary>
internal static class RandomBox
{
    private const int Tries = 10;

    /// <summary>Draws a rectangle inside a picture for <c>RandomResizedCrop</c>.</summary>
    /// <returns>The rectangle; of height 0 when ten tries did not fit.</returns>
    public static (int Top, int Left, int Height, int Width) Draw(
        int imageHeight, int imageWidth, (double Low, double High) scale, (double Low, double High) ratio, Rng rng)
    {
        for (var i = 0; i < Tries; i++)
        {
            var (area, shape) = DrawAreaAndShape(imageHeight * imageWidth, scale, ratio, rng);
            var width = (int)Math.Round(Math.Sqrt(area * shape));
            var height = (int)Math.Round(Math.Sqrt(area / shape));
            if (width > 0 && width <= imageWidth && height > 0 && height <= imageHeight)
            {
                var top = rng.NextInt32(0, imageHeight - height + 1);
                return (top, rng.NextInt32(0, imageWidth - width + 1), height, width);
            }
        }

        return default;
    }

    /// <summary>Draws height and width of a rectangle that is smaller than the picture along both sides, for <c>RandomErasing</c>.</summary>
    /// <returns>The size, or null when ten tries did not fit.</returns>
    public static (int Height, int Width)? DrawSmaller(
        int imageHeight, int imageWidth, (double Low, double High) scale, (double Low, double High) ratio, Rng rng)
    {
        for (var i = 0; i < Tries; i++)
        {
            var (area, shape) = DrawAreaAndShape(imageHeight * imageWidth, scale, ratio, rng);
            var height = (int)Math.Round(Math.Sqrt(area * shape));
            var width = (int)Math.Round(Math.Sqrt(area / shape));
            if (height < imageHeight && width < imageWidth)
            {
                return (height, width);
            }
        }

        return null;
    }

    // The logarithm of the shape is drawn, in float32 as torch computes it.
    private static (double Area, double Shape) DrawAreaAndShape(int area, (double Low, double High) scale, (double Low, double High) ratio, Rng rng)
    {
        var drawn = area * (double)rng.Uniform(scale.Low, scale.High);
        var shape = (float)Math.Exp(rng.Uniform((float)Math.Log((float)ratio.Low), (float)Math.Log((float)ratio.High)));
        return (drawn, shape);
    }
}
