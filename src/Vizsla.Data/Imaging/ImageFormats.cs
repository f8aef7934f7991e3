using Vizsla.Imaging.Gif;
using Vizsla.Imaging.Jpeg;
using Vizsla.Imaging.Png;
using Vizsla.Imaging.Tiff;

namespace Vizsla.Imaging;

/// <summary>The formats by their first bytes.</summary>
internal static class ImageFormats
{
    /// <summary>Reads the headers of a picture.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">It is no picture of a known format, or its headers are damaged.</exception>
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

        return TiffDirectory.Accepts(data) ? TiffDecoder.Identify(data) : throw NoPicture(data);
    }

    /// <summary>Decodes a picture.</summary>
    /// <param name="data">The file.</param>
    /// <param name="options">How to decode.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="ImageFormatException">It is no picture of a known format, damaged, cut short or too large.</exception>
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

        return TiffDirectory.Accepts(data) ? TiffDecoder.Decode(data, options) : throw NoPicture(data);
    }

    private static ImageFormatException NoPicture(ReadOnlySpan<byte> data) => new(
        data.IsEmpty ? "it is empty" : "it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture");
}
