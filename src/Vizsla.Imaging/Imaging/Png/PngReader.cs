using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Vizsla.Imaging.Png;

/// <summary>Walks the chunks of a PNG and refuses what Pillow refuses: a wrong check sum before the image data, chunks cut short, names that are none.</summary>
/// <remarks>Source: Pillow <c>PngImagePlugin</c>. Parity: exact for still pictures.</remarks>
internal static class PngReader
{
    private const int TextLimit = 1 << 20;
    private const long TextMemory = 64L * TextLimit;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>Whether bytes begin as a PNG does.</summary>
    /// <param name="data">The bytes.</param>
    public static bool Accepts(ReadOnlySpan<byte> data) => data.StartsWith(Signature);

    /// <summary>Reads the chunks up to the image data.</summary>
    /// <param name="data">The file.</param>
    /// <exception cref="ImageFormatException">A chunk is damaged, or the header names a picture that does not exist.</exception>
    public static PngHeader ReadHeader(ReadOnlySpan<byte> data)
    {
        var header = new PngHeader();
        var position = Signature.Length;
        while (true)
        {
            if (!TryChunk(data, position, out var name, out var length))
            {
                throw Damaged("a chunk without a name");
            }

            if (name.SequenceEqual("IDAT"u8) || name.SequenceEqual("IEND"u8))
            {
                header.FirstData = position;
                break;
            }

            if (position + 12 + length > data.Length)
            {
                throw new ImageFormatException(ImageFormatException.CutShort);
            }

            var body = data.Slice(position + 8, (int)length);
            Note(header, name, body);
            if (Checksums.Crc32(data.Slice(position + 4, 4 + body.Length)) != BinaryPrimitives.ReadUInt32BigEndian(data[(position + 8 + body.Length)..]))
            {
                throw Damaged("a chunk with a wrong check sum");
            }

            position += 12 + body.Length;
        }

        if (header.Mode is null || header.Width is 0 or > int.MaxValue || header.Height is 0 or > int.MaxValue)
        {
            throw Damaged("an invalid header");
        }

        return header;
    }

    /// <summary>Collects the compressed image data, and reads the chunks behind them as far as they matter.</summary>
    /// <param name="data">The file.</param>
    /// <param name="header">What came before; takes an orientation found behind.</param>
    /// <param name="target">At least as long as the file.</param>
    /// <returns>Bytes collected.</returns>
    public static int ReadData(ReadOnlySpan<byte> data, PngHeader header, Span<byte> target)
    {
        var count = 0;
        var position = header.FirstData;
        while (TryChunk(data, position, out var name, out var length) && name.SequenceEqual("IDAT"u8))
        {
            var body = data[(position + 8)..];
            body = body[..(int)Math.Min(length, body.Length)];
            body.CopyTo(target[count..]);
            count += body.Length;
            position = (int)Math.Min(position + 12L + length, data.Length);
        }

        while (TryChunk(data, position, out var name, out var length) && !name.SequenceEqual("IEND"u8))
        {
            if (position + 8 + length > data.Length)
            {
                throw new ImageFormatException(ImageFormatException.CutShort);
            }

            Note(header, name, data.Slice(position + 8, (int)length));
            position = (int)Math.Min(position + 12L + length, data.Length);
        }

        return count;
    }

    private static ImageFormatException Damaged(string what) => new($"it is damaged: a PNG with {what}");

    private static bool TryChunk(ReadOnlySpan<byte> data, int position, out ReadOnlySpan<byte> name, out uint length)
    {
        if (position + 8 > data.Length)
        {
            name = default;
            length = 0;
            return false;
        }

        length = BinaryPrimitives.ReadUInt32BigEndian(data[position..]);
        name = data.Slice(position + 4, 4);
        foreach (var letter in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)letter) && letter != '_')
            {
                return false;
            }
        }

        return true;
    }

    private static void Note(PngHeader header, ReadOnlySpan<byte> name, ReadOnlySpan<byte> body)
    {
        switch (Encoding.ASCII.GetString(name))
        {
            case "IHDR":
                Require(body, 13);
                (header.Width, header.Height) = (BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadUInt32BigEndian(body[4..]));
                (header.Depth, header.Color, header.IsInterlaced) = (body[8], body[9], body[12] != 0);
                if (body[11] != 0)
                {
                    throw Damaged("an unknown filter method");
                }

                break;
            case "PLTE":
                header.Palette.AsSpan().Clear();
                body[..Math.Min(body.Length / 3 * 3, header.Palette.Length)].CopyTo(header.Palette);
                break;
            case "tRNS":
                Require(body, header.Mode switch { "1" or "L" or "I;16" => 2, "RGB" => 6, _ => 0 });
                break;
            case "gAMA":
                Require(body, 4);
                break;
            case "cHRM":
                Require(body, 32);
                break;
            case "sRGB":
                Require(body, 1);
                break;
            case "pHYs":
                Require(body, 9);
                break;
            case "eXIf":
                header.ExifOrientation = ExifOrientation.FromExif(body);
                break;
            case "iCCP":
                // The profile is not used; one that is too large is refused all the same.
                Uncompressed(body);
                break;
            case "iTXt":
                NoteText(header, body);
                break;
            case "zTXt":
                var text = Uncompressed(body);
                Count(header, text.Length);
                if (body.StartsWith("Raw profile type exif\0"u8))
                {
                    header.ExifOrientation ??= RawProfile(text);
                }

                break;
            case "tEXt":
                Count(header, body.Length - 1 - body.IndexOf((byte)0));
                if (body.StartsWith("Raw profile type exif\0"u8))
                {
                    header.ExifOrientation ??= RawProfile(body[22..]);
                }

                break;
        }
    }

    private static void Require(ReadOnlySpan<byte> body, int length)
    {
        if (body.Length < length)
        {
            throw Damaged("a chunk that is too short");
        }
    }

    private static void NoteText(PngHeader header, ReadOnlySpan<byte> body)
    {
        // Keyword, compressed or not, method, language, translated keyword, text.
        var end = body.IndexOf((byte)0);
        if (end < 0 || body.Length < end + 3)
        {
            return;
        }

        var (compressed, method) = (body[end + 1] != 0, body[end + 2]);
        var rest = body[(end + 3)..];
        for (var i = 0; i < 2; i++)
        {
            var next = rest.IndexOf((byte)0);
            if (next < 0)
            {
                return;
            }

            rest = rest[(next + 1)..];
        }

        if (compressed && method != 0)
        {
            return;
        }

        var text = compressed ? Inflate(rest) : rest;
        Count(header, text.Length);
        if (body[..end].SequenceEqual("XML:com.adobe.xmp"u8))
        {
            header.XmpOrientation = ExifOrientation.FromXmp(text);
        }
    }

    // A keyword, the method, compressed bytes.
    private static byte[] Uncompressed(ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        if (end < 0 || end + 1 >= body.Length)
        {
            return [];
        }

        return body[end + 1] == 0 ? Inflate(body[(end + 2)..]) : throw Damaged("a text of an unknown compression");
    }

    private static void Count(PngHeader header, int length)
    {
        header.TextBytes += length;
        if (header.TextBytes > TextMemory)
        {
            throw Damaged("texts of more than 64 MiB");
        }
    }

    // ImageMagick's way to store EXIF: two lines of heading, then hexadecimal digits.
    private static int? RawProfile(ReadOnlySpan<byte> text)
    {
        var lines = Encoding.Latin1.GetString(text).Split('\n');
        var digits = string.Concat(lines.Skip(3)).Replace(" ", "", StringComparison.Ordinal);
        return digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit) ? ExifOrientation.FromExif(Convert.FromHexString(digits)) : null;
    }

    private static byte[] Inflate(ReadOnlySpan<byte> compressed)
    {
        using var stream = new ZLibStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
        var text = new byte[TextLimit + 1];
        try
        {
            var count = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return count <= TextLimit ? text[..count] : throw Damaged("a text of more than 1 MiB");
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }
}
