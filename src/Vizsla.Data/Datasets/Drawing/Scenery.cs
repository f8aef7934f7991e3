using SkiaSharp;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Drawing;

/// <summary>Backgrounds, colours and grain, drawn alike for every class so that none of them tells the class.</summary>
internal static class Scenery
{
    // Relative luminance between animal and background, below which a person would not see the animal either.
    private const float LeastContrast = 0.28f;
    private const float BrightestBackground = 0.5f;

    /// <summary>Fills the canvas with a gradient, then strokes or blobs of nearby colours.</summary>
    public static void Paint(SKCanvas canvas, int size, SKColor color, Rng rng)
    {
        using (var shader = SKShader.CreateLinearGradient(new(0, 0), new(rng.Uniform(-0.3, 1) * size, size), [color, Near(color, 45, rng)], SKShaderTileMode.Clamp))
        using (var sky = new SKPaint { Shader = shader })
        {
            canvas.DrawRect(0, 0, size, size, sky);
        }

        var kind = (int)rng.Uniform(0, 3);
        var count = (int)rng.Uniform(0, 14);
        for (var i = 0; i < count; i++)
        {
            using var paint = new SKPaint { Color = Near(color, 40, rng), IsAntialias = true, StrokeWidth = rng.Uniform(0.01, 0.05) * size };
            var (x, y) = (rng.Uniform(0, size), rng.Uniform(0, size));
            var reach = rng.Uniform(0.03, 0.2) * size;
            switch (kind)
            {
                case 0:
                    canvas.DrawCircle(x, y, reach, paint);
                    break;
                case 1:
                    canvas.DrawLine(x, y, x + rng.Uniform(-reach, reach), y - reach, paint);
                    break;
                default:
                    canvas.DrawRect(x, y, reach, reach, paint);
                    break;
            }
        }
    }

    /// <summary>A colour of the darker two thirds.</summary>
    public static SKColor BackgroundColor(Rng rng) => AnyColor(rng, color => Luminance(color) < BrightestBackground);

    /// <summary>A colour that stands out brighter from the background.</summary>
    public static SKColor AnimalColor(SKColor background, Rng rng) => AnyColor(rng, color => Luminance(color) - Luminance(background) > LeastContrast);

    /// <summary>Adds grain to RGB bytes in place.</summary>
    public static void AddGrain(Span<byte> pixels, Rng rng)
    {
        var strength = rng.Uniform(2, 24);
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)Math.Clamp(pixels[i] + rng.Uniform(-strength, strength), 0, 255);
        }
    }

    /// <summary>The colour, each channel moved by at most <paramref name="distance"/> levels.</summary>
    public static SKColor Near(SKColor color, int distance, Rng rng) => new(
        Move(color.Red, distance, rng), Move(color.Green, distance, rng), Move(color.Blue, distance, rng));

    private static SKColor AnyColor(Rng rng, Func<SKColor, bool> fits)
    {
        while (true)
        {
            var color = SKColor.FromHsv(rng.Uniform(0, 360), rng.Uniform(10, 100), rng.Uniform(15, 100));
            if (fits(color))
            {
                return color;
            }
        }
    }

    private static byte Move(byte channel, int distance, Rng rng) => (byte)Math.Clamp(channel + rng.Uniform(-distance, distance), 0, 255);

    private static float Luminance(SKColor color) => ((0.299f * color.Red) + (0.587f * color.Green) + (0.114f * color.Blue)) / 255;
}
