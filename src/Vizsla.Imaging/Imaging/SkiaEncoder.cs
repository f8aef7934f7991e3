using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
        var buffer = PixelPool<byte>.Shared.Rent(info.BytesSize);
        try
        {
            AddAlpha(image.Pixels, buffer);
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
            PixelPool<byte>.Shared.Return(buffer);
        }
    }

    // Three bytes a pixel become four, the last one opaque.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddAlpha(ReadOnlySpan<byte> source, Span<byte> target)
    {
        const byte none = 0x80;
        var spread = Vector128.Create((byte)0, 1, 2, none, 3, 4, 5, none, 6, 7, 8, none, 9, 10, 11, none);
        var opaque = Vector128.Create(0xFF000000u).AsByte();
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var (i, j) = (0, 0);
        for (; i + Vector128<byte>.Count <= source.Length; i += 12, j += Vector128<byte>.Count)
        {
            (Vector128.Shuffle(Vector128.LoadUnsafe(ref from, (nuint)i), spread) | opaque).StoreUnsafe(ref to, (nuint)j);
        }

        for (; i < source.Length; i += 3, j += 4)
        {
            source.Slice(i, 3).CopyTo(target[j..]);
            target[j + 3] = byte.MaxValue;
        }
    }
}
