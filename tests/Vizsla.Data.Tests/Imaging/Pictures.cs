using SkiaSharp;
using Vizsla.Imaging;

namespace Vizsla.Tests.Imaging;

/// <summary>Pictures that tests draw.</summary>
internal static class Pictures
{
    /// <summary>Smooth colors with an edge and some grain, the same for the same size.</summary>
    public static Image Draw(int width, int height)
    {
        var image = new Image(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var edge = x + y > (width + height) / 2 ? 60 : 0;
                var grain = ((x * 73) ^ (y * 151)) % 17;
                image.Row(y)[3 * x] = (byte)(90 + 60 * Math.Sin(x * 0.11) + edge + grain);
                image.Row(y)[3 * x + 1] = (byte)(110 + 50 * Math.Cos(y * 0.07) - edge / 2 + grain);
                image.Row(y)[3 * x + 2] = (byte)(70 + edge + 40 * Math.Sin((x + y) * 0.05) + grain);
            }
        }

        return image;
    }

    public static byte[] Encode(Action<Image, Stream> encode, int width, int height)
    {
        using var image = Draw(width, height);
        using var stream = new MemoryStream();
        encode(image, stream);
        return stream.ToArray();
    }

    /// <summary>A random picture as a JPEG of a given quality and sampling of its colors.</summary>
    public static unsafe byte[] EncodeJpeg(int width, int height, int quality, SKJpegEncoderDownsample downsample)
    {
        using var image = Draw(width, height);
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = new Span<byte>((void*)bitmap.GetPixels(), bitmap.ByteCount);
        pixels.Fill(255);
        for (var i = 0; i < width * height; i++)
        {
            image.Pixels.Slice(3 * i, 3).CopyTo(pixels[(4 * i)..]);
        }

        using var data = bitmap.PeekPixels().Encode(new SKJpegEncoderOptions(quality, downsample, SKJpegEncoderAlphaOption.Ignore));
        return data!.ToArray();
    }
}
