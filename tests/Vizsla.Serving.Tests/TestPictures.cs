using Vizsla.Imaging;

namespace Vizsla.Serving.Tests;

/// <summary>Pictures that tests make themselves.</summary>
internal static class TestPictures
{
    /// <summary>A picture of one color as PNG.</summary>
    public static byte[] Png(byte red, byte green, byte blue, int width = 8, int height = 6)
    {
        using var image = Plain(red, green, blue, width, height);
        using var memory = new MemoryStream();
        ImageCodec.SavePng(image, memory);
        return memory.ToArray();
    }

    /// <summary>A picture of one color.</summary>
    public static Image Plain(byte red, byte green, byte blue, int width, int height)
    {
        var image = new Image(width, height);
        for (var i = 0; i < image.Pixels.Length; i += 3)
        {
            (image.Pixels[i], image.Pixels[i + 1], image.Pixels[i + 2]) = (red, green, blue);
        }

        return image;
    }
}
