using System.Buffers.Binary;
using System.IO.Compression;

namespace Vizsla.Imaging.Tiff;

/// <summary>Undoes the compressions of TIFF.</summary>
/// <remarks>Source: TIFF 6.0, sections 9, 13 and 14; libtiff.</remarks>
internal static class TiffCompression
{
    /// <summary>Expands a piece.</summary>
    /// <param name="header">The header.</param>
    /// <param name="stored">The stored bytes.</param>
    /// <param name="rows">Filled with the expanded ones.</param>
    /// <exception cref="ImageFormatException">The bytes are damaged or too few, or the compression is not known.</exception>
    public static void Expand(TiffHeader header, ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        if (header.Directory.Number(266, 1) == 2)
        {
            stored = Reversed(stored);
        }

        var count = header.Compression switch
        {
            1 => Copy(stored, rows),
            5 => TiffLzw.Expand(stored, rows),
            8 or 32946 => Inflate(stored, rows),
            32773 => UnpackBits(stored, rows),
            34925 => XzReader.Expand(stored, rows),
            _ => throw new ImageFormatException($"it is a TIFF of compression {header.Compression}, which is not read; save it as PNG"),
        };
        if (count < rows.Length)
        {
            throw new ImageFormatException(ImageFormatException.CutShort);
        }
    }

    /// <summary>Adds up the differences of neighboring pixels where only they are stored.</summary>
    /// <param name="header">The header.</param>
    /// <param name="rows">The rows of a piece; changed in place.</param>
    /// <param name="rowLength">Bytes of a row.</param>
    /// <param name="samples">Samples of a pixel.</param>
    public static void UndoPredictor(TiffHeader header, Span<byte> rows, int rowLength, int samples)
    {
        if (header.Directory.Number(317, 1) != 2 || header.Compression is 1 or 32773)
        {
            return;
        }

        for (; rows.Length > 0; rows = rows[rowLength..])
        {
            var row = rows[..rowLength];
            if (header.Bits == 8)
            {
                for (var i = samples; i < row.Length; i++)
                {
                    row[i] += row[i - samples];
                }
            }
            else if (header.Bits == 16)
            {
                for (var i = 2 * samples; i + 1 < row.Length; i += 2)
                {
                    if (header.Directory.IsLittleEndian)
                    {
                        var sum = BinaryPrimitives.ReadUInt16LittleEndian(row[i..]) + BinaryPrimitives.ReadUInt16LittleEndian(row[(i - 2 * samples)..]);
                        BinaryPrimitives.WriteUInt16LittleEndian(row[i..], (ushort)sum);
                    }
                    else
                    {
                        var sum = BinaryPrimitives.ReadUInt16BigEndian(row[i..]) + BinaryPrimitives.ReadUInt16BigEndian(row[(i - 2 * samples)..]);
                        BinaryPrimitives.WriteUInt16BigEndian(row[i..], (ushort)sum);
                    }
                }
            }
        }
    }

    private static byte[] Reversed(ReadOnlySpan<byte> stored)
    {
        var result = new byte[stored.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var value = stored[i];
            for (var bit = 0; bit < 8; bit++)
            {
                result[i] |= (byte)((value >> bit & 1) << (7 - bit));
            }
        }

        return result;
    }

    private static int Copy(ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        var count = Math.Min(stored.Length, rows.Length);
        stored[..count].CopyTo(rows);
        return count;
    }

    private static int Inflate(ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        using var stream = new ZLibStream(new MemoryStream(stored.ToArray()), CompressionMode.Decompress);
        try
        {
            return stream.ReadAtLeast(rows, rows.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw new ImageFormatException("it is damaged: a TIFF whose compressed data are broken", null, e);
        }
    }

    private static int UnpackBits(ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        var (at, count) = (0, 0);
        while (at + 1 < stored.Length && count < rows.Length)
        {
            var length = (sbyte)stored[at++];
            if (length >= 0)
            {
                var literal = Math.Min(Math.Min(length + 1, stored.Length - at), rows.Length - count);
                stored.Slice(at, literal).CopyTo(rows[count..]);
                (at, count) = (at + literal, count + literal);
            }
            else if (length != sbyte.MinValue)
            {
                var run = Math.Min(1 - length, rows.Length - count);
                rows.Slice(count, run).Fill(stored[at++]);
                count += run;
            }
        }

        return count;
    }
}
