namespace Vizsla.Imaging.Png;

/// <summary>The check sums of PNG and of its compressed data.</summary>
internal static class Checksums
{
    private static readonly uint[] Table = MakeTable();

    /// <summary>CRC-32 of a chunk's name and body.</summary>
    /// <param name="data">The bytes.</param>
    public static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc = Table[(byte)(crc ^ value)] ^ (crc >> 8);
        }

        return ~crc;
    }

    /// <summary>Adler-32 of decompressed data.</summary>
    /// <param name="data">The bytes.</param>
    public static uint Adler32(ReadOnlySpan<byte> data)
    {
        const int Modulus = 65521;
        const int Block = 5552; // most bytes whose sums stay within 32 bits
        var (a, b) = (1u, 0u);
        while (data.Length > 0)
        {
            var block = data[..Math.Min(data.Length, Block)];
            foreach (var value in block)
            {
                a += value;
                b += a;
            }

            (a, b) = (a % Modulus, b % Modulus);
            data = data[block.Length..];
        }

        return b << 16 | a;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            }

            table[i] = value;
        }

        return table;
    }
}
