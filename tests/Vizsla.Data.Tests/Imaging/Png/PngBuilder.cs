using System.Buffers.Binary;
using System.IO.Compression;
using Vizsla.Imaging.Png;

namespace Vizsla.Tests.Imaging.Png;

/// <summary>Writes PNG files piece by piece, wrong ones too.</summary>
internal static class PngBuilder
{
    public static byte[] Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    public static byte[] End => Chunk("IEND", []);

    public static byte[] Header(int width, int height, byte depth, byte color, byte interlace = 0)
    {
        var body = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(body, width);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(4), height);
        (body[8], body[9], body[12]) = (depth, color, interlace);
        return Chunk("IHDR", body);
    }

    public static byte[] Chunk(string name, byte[] body)
    {
        byte[] named = [.. System.Text.Encoding.ASCII.GetBytes(name), .. body];
        var result = new byte[named.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(result, body.Length);
        named.CopyTo(result, 4);
        BinaryPrimitives.WriteUInt32BigEndian(result.AsSpan(named.Length + 4), Checksums.Crc32(named));
        return result;
    }

    public static byte[] Compress(params byte[] rows)
    {
        using var stream = new MemoryStream();
        using (var zlib = new ZLibStream(stream, CompressionLevel.Optimal))
        {
            zlib.Write(rows);
        }

        return stream.ToArray();
    }

    public static byte[] File(int width, int height, byte depth, byte color, byte[] rows, byte[]? palette = null, byte interlace = 0) =>
    [
        .. Signature, .. Header(width, height, depth, color, interlace), .. palette is null ? [] : Chunk("PLTE", palette),
        .. Chunk("IDAT", Compress(rows)), .. End,
    ];
}
