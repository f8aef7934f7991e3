using System.Buffers.Binary;

namespace Vizsla.Imaging.Gif;

/// <summary>Decodes the first picture of a GIF.</summary>
/// <remarks>Source: Pillow <c>GifImagePlugin</c>, <c>GifDecode.c</c>. Parity: exact.</remarks>
internal static class GifDecoder
{
    /// <summary>Whether bytes begin as a GIF does.</summary>
    /// <param name="data">The bytes.</param>
    public static bool Accepts(ReadOnlySpan<byte> data) => data.StartsWith("GIF87a"u8) || data.StartsWith("GIF89a"u8);

    /// <summary>Reads the headers.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">The file is damaged or cut short.</exception>
    public static ImageInfo Identify(ReadOnlySpan<byte> data)
    {
        var header = GifHeader.Read(data);
        return new ImageInfo("GIF", header.Palette is null ? "L" : "P", header.Width, header.Height, 1);
    }

    /// <summary>Decodes a file.</summary>
    /// <param name="data">The whole file.</param>
    /// <param name="options">How to decode.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">The file is damaged, cut short or too large.</exception>
    public static Image Decode(ReadOnlySpan<byte> data, DecodeOptions options)
    {
        var header = GifHeader.Read(data);
        options.CheckSize(header.Width, header.Height);
        var buffer = PixelPool<byte>.Shared.Rent(header.Width * header.Height);
        try
        {
            // Outside the picture's own rectangle lies the transparent color, or the first.
            var indexes = buffer.AsSpan(0, header.Width * header.Height);
            indexes.Fill(header.Transparent ?? 0);
            LzwReader.Read(data[header.FirstData..], header, indexes);
            var image = new Image(header.Width, header.Height);
            var pixels = image.Pixels;
            for (var i = 0; i < indexes.Length; i++)
            {
                var index = indexes[i];
                if (header.Palette is not { } palette)
                {
                    pixels.Slice(3 * i, 3).Fill(index);
                }
                else if (3 * index + 3 <= palette.Length)
                {
                    palette.AsSpan(3 * index, 3).CopyTo(pixels[(3 * i)..]);
                }
                else
                {
                    pixels.Slice(3 * i, 3).Clear();
                }
            }

            return image;
        }
        finally
        {
            PixelPool<byte>.Shared.Return(buffer);
        }
    }
}
