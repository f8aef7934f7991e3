using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Brightness, contrast and saturation as Pillow's <c>ImageEnhance</c> changes them: a blend with a poorer picture.</summary>
internal static class Enhance
{
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

    /// <summary>Pillow's gray of a color: <c>convert("L")</c>.</summary>
    public static byte Luminance(byte red, byte green, byte blue) => (byte)(((19595 * red) + (38470 * green) + (7471 * blue) + 0x8000) >> 16);

    private static Image BlendWithLevel(Image image, int level, float factor)
    {
        Span<byte> table = stackalloc byte[256];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = Blend(level, i, factor);
        }

        var result = new Image(image.Width, image.Height);
        var source = image.Pixels;
        var target = result.Pixels;
        for (var i = 0; i < source.Length; i++)
        {
            target[i] = table[source[i]];
        }

        return result;
    }

    // Pillow truncates; a factor outside 0 to 1 also clips.
    private static byte Blend(int poorer, int level, float factor) => (byte)Math.Clamp(poorer + (factor * (level - poorer)), 0f, 255f);
}
