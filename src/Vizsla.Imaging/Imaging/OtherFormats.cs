namespace Vizsla.Imaging;

/// <summary>Kinds of files that are known by their first bytes and are not read here: a sentence that names one helps more than a list of what would do.</summary>
internal static class OtherFormats
{
    private const string Magick = "'magick FILE FILE.png'";

    /// <summary>Why a file is not a picture that can be read, as the end of a sentence.</summary>
    /// <param name="data">The bytes of a file that no decoder takes.</param>
    public static string Reason(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            return "it is empty";
        }

        if (PictureName(data) is var (name, command))
        {
            return $"it is a picture of the format {name}, which is not read; convert it to PNG or JPEG, for instance with {command}";
        }

        return FileName(data) is { } what ? $"it is {what}, not a picture" : "it is not a JPEG, PNG, GIF, BMP, WebP or TIFF picture";
    }

    /// <summary>The name of a picture's format, and a command that converts it; null for what is not a picture.</summary>
    /// <param name="data">The bytes of a file, or its first 64.</param>
    public static (string Name, string Command)? PictureName(ReadOnlySpan<byte> data) => data switch
    {
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => Brand(data),
        [0, 0, 0, 12, (byte)'j', (byte)'P', ..] or [0xFF, 0x4F, 0xFF, 0x51, ..] => ("JPEG 2000", Magick),
        [0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', ..] or [0xFF, 0x0A, ..] => ("JPEG XL", "'djxl FILE FILE.png'"),
        [0, 0, 1, 0, _, 0, ..] => ("ICO", Magick),
        [0, 0, 2, 0, _, 0, ..] => ("CUR", Magick),
        [(byte)'P', >= (byte)'1' and <= (byte)'6', (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'#', ..] => ("PPM (PBM, PGM)", Magick),
        [(byte)'8', (byte)'B', (byte)'P', (byte)'S', ..] => ("Photoshop (PSD)", Magick),
        [(byte)'q', (byte)'o', (byte)'i', (byte)'f', ..] => ("QOI", Magick),
        [(byte)'D', (byte)'D', (byte)'S', (byte)' ', ..] => ("DDS", Magick),
        [(byte)'i', (byte)'c', (byte)'n', (byte)'s', ..] => ("ICNS", Magick),
        [0x76, 0x2F, 0x31, 0x01, ..] => ("OpenEXR", Magick),
        [(byte)'F', (byte)'U', (byte)'J', (byte)'I', (byte)'F', (byte)'I', (byte)'L', (byte)'M', ..] => ("Fujifilm raw (RAF)", "'darktable-cli FILE FILE.png'"),
        _ => null,
    };

    private static (string Name, string Command)? Brand(ReadOnlySpan<byte> data)
    {
        var length = Math.Min(data.Length, Math.Max(16, data[3] | data[2] << 8));
        for (var at = 8; at + 4 <= length; at += at == 8 ? 8 : 4)
        {
            var brand = data.Slice(at, 4);
            if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8))
            {
                return ("AVIF", "'avifdec FILE FILE.png'");
            }

            if (brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8))
            {
                return ("HEIC", "'heif-convert FILE FILE.png'");
            }

            if (brand.SequenceEqual("crx "u8))
            {
                return ("Canon raw (CR3)", "'darktable-cli FILE FILE.png'");
            }
        }

        return data.Length >= 12 && (data[8..].StartsWith("mif1"u8) || data[8..].StartsWith("msf1"u8)) ? ("HEIF", "'heif-convert FILE FILE.png'") : null;
    }

    private static string? FileName(ReadOnlySpan<byte> data)
    {
        var start = data[..Math.Min(data.Length, 256)].TrimStart("\uFEFF \t\r\n"u8);
        return data.StartsWith("%PDF-"u8) ? "a PDF document"
            : data.StartsWith("PK\u0003\u0004"u8) ? "a ZIP archive"
            : start.StartsWith("<svg"u8) || (start.StartsWith("<?xml"u8) && start.IndexOf("<svg"u8) >= 0) ? "an SVG drawing"
            : start.StartsWith("<!DOCTYPE"u8) || start.StartsWith("<!doctype"u8) || start.StartsWith("<html"u8) || start.StartsWith("<HTML"u8) ? "an HTML page, as a server sends in place of a picture"
            : null;
    }
}
