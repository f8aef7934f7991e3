using System.Buffers.Binary;
using System.IO.Compression;

namespace Vizsla.Tests.Models;

/// <summary>Writes small PNG files of any color type, which the product's own writer does not.</summary>
internal static class PngFile
{
    /// <param name="path">The file.</param>
    /// <param name="side">Width and height.</param>
    /// <param name="colorType">0 grey, 2 RGB, 6 RGB with alpha.</param>
    /// <param name="pixel">Bytes of the one color of the picture.</param>
    public static void Write(string path, int side, byte colorType, params byte[] pixel)
    {
        using var file = File.Create(path);
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, side);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), side);
        header[8] = 8;
        header[9] = colorType;
        WriteChunk(file, "IHDR"u8, header);
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < side; y++)
            {
                zip.WriteByte(0);
                for (var x = 0; x < side; x++)
                {
                    zip.Write(pixel);
                }
            }
        }

        WriteChunk(file, "IDAT"u8, packed.ToArray());
        WriteChunk(file, "IEND"u8, []);
    }

    private static void WriteChunk(Stream file, ReadOnlySpan<byte> type, byte[] data)
    {
        var number = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Of([.. type, .. data]));
        file.Write(number);
    }
}
