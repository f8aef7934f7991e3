using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Vizsla.Packages.Tests;

/// <summary>Pictures for programs of others, without a library of this checkout.</summary>
internal static class Drawing
{
    private const int Side = 40;

    /// <summary>A PNG of one color.</summary>
    public static byte[] Png(byte red, byte green, byte blue)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < Side; y++)
            {
                zlib.WriteByte(0);
                for (var x = 0; x < Side; x++)
                {
                    zlib.Write([red, green, blue]);
                }
            }
        }

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Side);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), Side);
        (header[8], header[9]) = (8, 2);
        return [0x89, .. "PNG\r\n"u8, 0x1a, (byte)'\n', .. Chunk("IHDR", header), .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] content = [.. Encoding.ASCII.GetBytes(type), .. data];
        var (length, checksum) = (new byte[4], new byte[4]);
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(checksum, Crc32.HashToUInt32(content));
        return [.. length, .. content, .. checksum];
    }
}
