using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Brightness, contrast and saturation as Pillow's <c>ImageEnhance</c> changes them: a blend with a poorer picture.</summary>
internal static class Enhance
{
    private const float Side = 1f / 13f;
    private const float Middle = 5f / 13f;

    /// <summary>Blends with black.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is black, 1 the picture itself.</param>
    public static Image Brightness(Image image, double factor) => BlendWithLevel(image, 0, (float)factor);

    /// <summary>Blends with the mean gray.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is gray, 1 the picture itself.</param>
    public static Image Contrast(Image image, double factor)
    {
        long sum = 0;
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i += 3)
        {
            sum += Luminance(pixels[i], pixels[i + 1], pixels[i + 2]);
        }

        var mean = (int)(((double)sum / ((long)image.Width * image.Height)) + 0.5);
        return BlendWithLevel(image, mean, (float)factor);
    }

    /// <summary>Blends each pixel with its gray.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is gray, 1 the picture itself.</param>
    public static Image Saturation(Image image, double factor)
    {
        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        for (var i = 0; i < source.Length; i += 3)
        {
            var gray = Luminance(source[i], source[i + 1], source[i + 2]);
            target[i] = Blend(gray, source[i], (float)factor);
            target[i + 1] = Blend(gray, source[i + 1], (float)factor);
            target[i + 2] = Blend(gray, source[i + 2], (float)factor);
        }

        return result;
    }

    /// <summary>Blends each pixel with the mean of its neighborhood, in which it counts five times; border pixels stay.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="factor">0 is smooth, 1 the picture itself, 2 sharper.</param>
    public static Image Sharpness(Image image, double factor)
    {
        var result = image.Clone();
        if (image.Width < 3 || image.Height < 3)
        {
            return result;
        }

        for (var y = 1; y < image.Height - 1; y++)
        {
            var above = image.Row(y - 1);
            var row = image.Row(y);
            var below = image.Row(y + 1);
            var target = result.Row(y);
            for (var i = 3; i < row.Length - 3; i++)
            {
                // Pillow adds up the row below, the row, the row above, each from left to right.
                var smooth = 0.5f + ((below[i - 3] * Side) + (below[i] * Side) + (below[i + 3] * Side));
                smooth += (row[i - 3] * Side) + (row[i] * Middle) + (row[i + 3] * Side);
                smooth += (above[i - 3] * Side) + (above[i] * Side) + (above[i + 3] * Side);
                target[i] = Blend((byte)smooth, row[i], (float)factor);
            }
        }

        return result;
    }

    /// <summary>The gray of each pixel in all three channels.</summary>
    public static Image Grayscale(Image image) => Saturation(image, 0);

    /// <summary>Pillow's gray of a color: <c>convert("L")</c>.</summary>
    public static byte Luminance(byte red, byte green, byte blue) => (byte)(((19595 * red) + (38470 * green) + (7471 * blue) + 0x8000) >> 16);

    private static Image BlendWithLevel(Image image, int level, float factor)
    {
        Span<byte> table = stackalloc byte[256];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = Blend(level, i, factor);
        }

        return Levels.ApplyToAll(image, table);
    }

    // Pillow truncates; a factor outside 0 to 1 also clips.
    private static byte Blend(int poorer, int level, float factor) => (byte)Math.Clamp(poorer + (factor * (level - poorer)), 0f, 255f);
}
