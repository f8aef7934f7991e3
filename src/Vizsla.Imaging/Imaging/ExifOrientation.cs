using System.Buffers.Binary;

namespace Vizsla.Imaging;

/// <summary>Finds the orientation in the metadata of a picture.</summary>
/// <remarks>Source: Pillow <c>Image.getexif</c>, <c>ImageFileDirectory_v2.load</c>. Parity: exact for orientations stored as whole numbers.</remarks>
internal static class ExifOrientation
{
    private const int Tag = 0x0112;

    /// <summary>The orientation in EXIF data.</summary>
    /// <param name="exif">A TIFF structure, with or without <c>Exif\0\0</c> before it.</param>
    /// <returns>The number as stored, valid or not; null where there is none.</returns>
    public static int? FromExif(ReadOnlySpan<byte> exif)
    {
        while (exif.StartsWith("Exif\0\0"u8))
        {
            exif = exif[6..];
        }

        var little = exif.StartsWith("II*\0"u8);
        if (exif.Length < 8 || !(little || exif.StartsWith("MM\0*"u8)))
        {
            return null;
        }

        return FromDirectory(exif, ReadUInt32(exif[4..], little), little);
    }

    /// <summary>The orientation in a directory of a TIFF file.</summary>
    /// <param name="file">The file from its first byte.</param>
    /// <param name="offset">Where the directory begins.</param>
    /// <param name="little">Whether numbers are stored low byte first.</param>
    public static int? FromDirectory(ReadOnlySpan<byte> file, uint offset, bool little)
    {
        if (offset + 2L > file.Length)
        {
            return null;
        }

        var entries = file[(int)offset..];
        var count = ReadUInt16(entries, little);
        entries = entries[2..];
        for (var i = 0; i < count && entries.Length >= 12; i++, entries = entries[12..])
        {
            var (tag, type, values) = (ReadUInt16(entries, little), ReadUInt16(entries[2..], little), ReadUInt32(entries[4..], little));
            var size = (long)values * UnitSize(type);
            var data = entries.Slice(8, 4);
            if (size > 4)
            {
                // An entry whose data lie beyond the end is skipped.
                var at = ReadUInt32(data, little);
                if (at + size > file.Length)
                {
                    continue;
                }

                data = file.Slice((int)at, (int)size);
            }

            // Of a tag that stands twice the first counts.
            if (tag == Tag && size > 0 && ReadNumber(data, type, little) is { } number)
            {
                return number;
            }
        }

        return null;
    }

    /// <summary>The orientation in an XMP packet.</summary>
    /// <param name="xmp">Its text.</param>
    public static int? FromXmp(ReadOnlySpan<byte> xmp)
    {
        var name = "tiff:Orientation"u8;
        for (var at = xmp.IndexOf(name); at >= 0; at = xmp.IndexOf(name))
        {
            xmp = xmp[(at + name.Length)..];
            var value = xmp.StartsWith("=\""u8) ? xmp[2..] : xmp.StartsWith(">"u8) ? xmp[1..] : [];
            if (value.Length > 0 && char.IsAsciiDigit((char)value[0]))
            {
                return value[0] - '0';
            }
        }

        return null;
    }

    private static int UnitSize(int type) => type switch
    {
        1 or 2 or 6 or 7 => 1,
        3 or 8 => 2,
        4 or 9 or 11 or 13 => 4,
        5 or 10 or 12 or 16 => 8,
        _ => 0,
    };

    private static int? ReadNumber(ReadOnlySpan<byte> data, int type, bool little) => type switch
    {
        3 or 8 => ReadUInt16(data, little),
        4 or 9 or 13 => (int)Math.Min(ReadUInt32(data, little), int.MaxValue),
        6 => data[0],
        _ => null,
    };

    private static ushort ReadUInt16(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(data) : BinaryPrimitives.ReadUInt16BigEndian(data);

    private static uint ReadUInt32(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
