using System.Buffers;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Vizsla.Imaging;

/// <summary>The formats that Skia's bundled libraries decode to Pillow's very bytes.</summary>
internal static class SkiaDecoder
{
    public static unsafe Image Decode(ReadOnlySpan<byte> data, DecodeOptions options)
    {
        fixed (byte* bytes = data)
        {
            using var skData = SKData.Create((nint)bytes, data.Length);
            using var codec = SKCodec.Create(skData)
                ?? throw new ImageFormatException("it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture");
            var info = codec.Info;
            options.CheckSize(info.Width, info.Height);
            var target = new SKImageInfo(info.Width, info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
            var buffer = ArrayPool<byte>.Shared.Rent(target.BytesSize);
            try
            {
                SKCodecResult result;
                fixed (byte* pixels = buffer)
                {
                    result = codec.GetPixels(target, (nint)pixels);
                }

                if (result != SKCodecResult.Success)
                {
                    throw new ImageFormatException(result == SKCodecResult.IncompleteInput ? "it is cut short" : "it is damaged");
                }

                var stored = DropAlpha(MemoryMarshal.Cast<byte, uint>(buffer.AsSpan(0, target.BytesSize)), info.Width, info.Height);
                return Orientation.Turn(stored, options.ExifTranspose ? (int)codec.EncodedOrigin : 1);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
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
