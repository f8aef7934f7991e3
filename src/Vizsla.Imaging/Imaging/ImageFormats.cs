using System.Collections.Immutable;
using Vizsla.Imaging.Gif;
using Vizsla.Imaging.Jpeg;
using Vizsla.Imaging.Png;
using Vizsla.Imaging.Tiff;

namespace Vizsla.Imaging;

/// <summary>The formats by their first bytes.</summary>
internal static class ImageFormats
{
    /// <summary>Bytes that tell any format.</summary>
    public const int StartBytes = 64;

    private static ImmutableArray<PictureDecoder> s_registered = [];

    /// <summary>Endings of files that registered decoders read.</summary>
    public static IEnumerable<string> RegisteredExtensions => s_registered.SelectMany(d => d.Extensions);

    /// <summary>The builds of everything that decodes: what was seen with others is looked at again.</summary>
    public static IEnumerable<Guid> Versions => s_registered.Select(d => d.GetType().Module.ModuleVersionId).Prepend(typeof(ImageFormats).Module.ModuleVersionId);

    /// <summary>Makes a decoder known, in place of one of its type.</summary>
    public static void Register(PictureDecoder decoder) =>
        ImmutableInterlocked.Update(ref s_registered, known => [.. known.Where(d => d.GetType() != decoder.GetType()), decoder]);

    /// <summary>Whether bytes begin as a picture does that can be read.</summary>
    /// <param name="data">The bytes of a file, or its first 64.</param>
    public static bool IsRead(ReadOnlySpan<byte> data) =>
        JpegReader.Accepts(data) || PngReader.Accepts(data) || GifDecoder.Accepts(data) || WebPHeader.Accepts(data) || BmpHeader.Accepts(data) || TiffDirectory.Accepts(data) || Registered(data) is not null;

    /// <summary>The registered decoder that takes a file, or null.</summary>
    /// <param name="data">The bytes of a file, or its first 64.</param>
    public static PictureDecoder? Registered(ReadOnlySpan<byte> data)
    {
        foreach (var decoder in s_registered)
        {
            if (decoder.Accepts(data))
            {
                return decoder;
            }
        }

        return null;
    }

    /// <summary>Reads the headers of a picture.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">It is not a picture of a known format, or its headers are damaged.</exception>
    public static ImageInfo Identify(ReadOnlySpan<byte> data)
    {
        if (JpegReader.Accepts(data))
        {
            return JpegDecoder.Identify(data);
        }

        if (PngReader.Accepts(data))
        {
            var png = PngReader.ReadHeader(data);
            return new ImageInfo("PNG", png.Mode!, (int)png.Width, (int)png.Height, png.Orientation);
        }

        if (GifDecoder.Accepts(data))
        {
            return GifDecoder.Identify(data);
        }

        if (WebPHeader.Accepts(data))
        {
            var webp = WebPHeader.Read(data);
            return new ImageInfo("WEBP", webp.HasAlpha ? "RGBA" : "RGB", webp.Width, webp.Height, webp.Orientation);
        }

        if (BmpHeader.Accepts(data))
        {
            var bmp = BmpHeader.Read(data);
            return new ImageInfo("BMP", bmp.Mode, checked((int)bmp.Width), checked((int)bmp.Height), 1);
        }

        return TiffDirectory.Accepts(data) ? TiffDecoder.Identify(data) : Registered(data)?.Identify(data) ?? throw new ImageFormatException(OtherFormats.Reason(data));
    }

    /// <summary>Decodes a picture.</summary>
    /// <param name="data">The file.</param>
    /// <param name="options">How to decode.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">It is not a picture of a known format, damaged, cut short or too large.</exception>
    public static Image Decode(ReadOnlySpan<byte> data, DecodeOptions options)
    {
        if (JpegReader.Accepts(data))
        {
            return JpegDecoder.Decode(data, options);
        }

        if (PngReader.Accepts(data))
        {
            return PngDecoder.Decode(data, options);
        }

        if (GifDecoder.Accepts(data))
        {
            return GifDecoder.Decode(data, options);
        }

        if (WebPHeader.Accepts(data))
        {
            var webp = WebPHeader.Read(data);
            options.CheckSize(webp.Width, webp.Height);
            return Orientation.Turn(SkiaDecoder.Decode(data), options.ExifTranspose ? webp.Orientation : 1);
        }

        if (BmpHeader.Accepts(data))
        {
            var bmp = BmpHeader.Read(data);
            options.CheckSize(bmp.Width, bmp.Height);
            return SkiaDecoder.Decode(data);
        }

        return TiffDirectory.Accepts(data) ? TiffDecoder.Decode(data, options) : Registered(data)?.Decode(data, options) ?? throw new ImageFormatException(OtherFormats.Reason(data));
    }
}
