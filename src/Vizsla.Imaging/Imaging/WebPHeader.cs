using System.Buffers.Binary;

namespace Vizsla.Imaging;

/// <summary>What the chunks of a WebP file say about its picture.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="HasAlpha">Whether there is an alpha channel.</param>
/// <param name="Orientation">EXIF orientation from 1 to 8.</param>
/// <remarks>Source: the WebP container specification.</remarks>
internal readonly record struct WebPHeader(int Width, int Height, bool HasAlpha, int Orientation)
{
    /// <summary>Whether bytes begin as a WebP does.</summary>
    /// <param name="data">The bytes.</param>
    public static bool Accepts(ReadOnlySpan<byte> data) => data.Length >= 16 && data.StartsWith("RIFF"u8) && data[8..].StartsWith("WEBP"u8);

    /// <summary>Reads the chunks.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">There is no picture, or the file is cut short.</exception>
    public static WebPHeader Read(ReadOnlySpan<byte> data)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(data[4..]) + 8L > data.Length)
        {
            throw new ImageFormatException(ImageFormatException.CutShort);
        }

        var (width, height, alpha) = (0, 0, false);
        int? exif = null, xmp = null;
        var extended = false;
        for (var rest = data[12..]; rest.Length >= 8;)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            var body = rest[8..];
            body = body[..(int)Math.Min(length, body.Length)];
            if (rest.StartsWith("VP8X"u8) && body.Length >= 10)
            {
                extended = true;
                alpha = (body[0] & 0x10) != 0;
                (width, height) = (1 + (body[4] | body[5] << 8 | body[6] << 16), 1 + (body[7] | body[8] << 8 | body[9] << 16));
            }
            else if (rest.StartsWith("VP8 "u8) && body.Length >= 10 && !extended)
            {
                (width, height) = (BinaryPrimitives.ReadUInt16LittleEndian(body[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(body[8..]) & 0x3FFF);
            }
            else if (rest.StartsWith("VP8L"u8) && body.Length >= 5 && !extended)
            {
                var bits = BinaryPrimitives.ReadUInt32LittleEndian(body[1..]);
                (width, height, alpha) = (1 + (int)(bits & 0x3FFF), 1 + (int)(bits >> 14 & 0x3FFF), (bits >> 28 & 1) != 0);
            }
            else if (rest.StartsWith("EXIF"u8))
            {
                exif = ExifOrientation.FromExif(body);
            }
            else if (rest.StartsWith("XMP "u8))
            {
                xmp = ExifOrientation.FromXmp(body);
            }

            rest = rest[(int)Math.Min(8 + length + (length & 1), rest.Length)..];
        }

        return width > 0 && height > 0
            ? new WebPHeader(width, height, alpha, Imaging.Orientation.Valid(exif ?? xmp ?? 1))
            : throw new ImageFormatException("it is damaged: a WebP without a picture");
    }
}
