using System.Buffers;
using SkiaSharp;

namespace Vizsla.Imaging;

/// <summary>PNG and JPEG through Skia's bundled libpng and libjpeg-turbo.</summary>
internal static class SkiaEncoder
{
    public static void Png(Image image, Stream stream) =>
        Encode(image, stream, static (pixels, output, _) => pixels.Encode(output, SKPngEncoderOptions.Default), 0);

    public static void Jpeg(Image image, Stream stream, int quality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        Encode(
            image,
            stream,
            static (pixels, output, quality) =>
                pixels.Encode(output, new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore)),
            quality);
    }

    private static unsafe void Encode(Image image, Stream stream, Func<SKPixmap, SKWStream, int, bool> encode, int quality)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(stream);
        var info = new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        var buffer = ArrayPool<byte>.Shared.Rent(info.BytesSize);
        try
        {
            var source = image.Pixels;
            for (int i = 0, j = 0; i < source.Length; i += 3, j += 4)
            {
                source.Slice(i, 3).CopyTo(buffer.AsSpan(j));
                buffer[j + 3] = byte.MaxValue;
            }

            fixed (byte* pixels = buffer)
            {
                using var pixmap = new SKPixmap(info, (nint)pixels);
                using var output = new SKManagedWStream(stream);
                if (!encode(pixmap, output, quality))
                {
                    throw new IOException($"A {image.Width}x{image.Height} picture could not be encoded.");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
