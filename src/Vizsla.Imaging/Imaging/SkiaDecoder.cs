using System.Runtime.InteropServices;
using SkiaSharp;

namespace Vizsla.Imaging;

/// <summary>The formats that Skia's bundled libraries decode to Pillow's very bytes: WebP, BMP, and the rare kinds of JPEG.</summary>
internal static class SkiaDecoder
{
    /// <summary>Decodes a file whose size has been checked, as stored.</summary>
    /// <param name="data">The whole file.</param>
    /// <param name="eighths">Scale of a JPEG, 1 to 8; other formats are decoded whole, at 8.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The file is damaged or cut short.</exception>
    public static unsafe Image Decode(ReadOnlySpan<byte> data, int eighths = 8)
    {
        fixed (byte* bytes = data)
        {
            using var skData = SKData.Create((nint)bytes, data.Length);
            using var codec = SKCodec.Create(skData) ?? throw new ImageFormatException("it is damaged");
            var size = eighths == 8 ? codec.Info.Size : codec.GetScaledDimensions(eighths / 8f);
            var target = new SKImageInfo(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
            var buffer = PixelPool<byte>.Shared.Rent(target.BytesSize);
            try
            {
                SKCodecResult result;
                fixed (byte* pixels = buffer)
                {
                    result = codec.GetPixels(target, (nint)pixels);
                }

                return result switch
                {
                    SKCodecResult.Success => DropAlpha(MemoryMarshal.Cast<byte, uint>(buffer.AsSpan(0, target.BytesSize)), target.Width, target.Height),
                    SKCodecResult.IncompleteInput => throw new ImageFormatException(ImageFormatException.CutShort),
                    _ => throw new ImageFormatException("it is damaged"),
                };
            }
            finally
            {
                PixelPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private static Image DropAlpha(ReadOnlySpan<uint> source, int width, int height)
    {
        var image = new Image(width, height);
        var target = image.Pixels;
        for (var i = 0; i < source.Length; i++)
        {
            var pixel = source[i];
            target[3 * i] = (byte)pixel;
            target[3 * i + 1] = (byte)(pixel >> 8);
            target[3 * i + 2] = (byte)(pixel >> 16);
        }

        return image;
    }
}
