namespace Vizsla.Imaging.Tiff;

/// <summary>TIFF's own form of LZW: codes from the highest bit on, one bit longer one code early.</summary>
/// <remarks>Source: TIFF 6.0, section 13.</remarks>
internal static class TiffLzw
{
    private const int Clear = 256;
    private const int End = 257;
    private const int MostBits = 12;

    /// <summary>Expands codes.</summary>
    /// <param name="stored">The codes.</param>
    /// <param name="rows">Filled with what they stand for.</param>
    /// <returns>Bytes filled.</returns>
    /// <exception cref="ImageFormatException">A code is invalid.</exception>
    public static int Expand(ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        // A code stands for a run that is already in the output: where it begins, and its length.
        Span<int> start = stackalloc int[1 << MostBits];
        Span<int> length = stackalloc int[1 << MostBits];
        var (next, size, previous, count) = (End + 1, 9, -1, 0);
        var (bits, bitCount, at) = (0u, 0, 0);
        var previousStart = 0;
        while (count < rows.Length)
        {
            while (bitCount < size && at < stored.Length)
            {
                bits = bits << 8 | stored[at++];
                bitCount += 8;
            }

            if (bitCount < size)
            {
                return count;
            }

            var code = (int)(bits >> (bitCount - size)) & ((1 << size) - 1);
            bitCount -= size;
            if (code == End)
            {
                return count;
            }

            if (code == Clear)
            {
                (next, size, previous) = (End + 1, 9, -1);
                continue;
            }

            var begin = count;
            if (code < Clear)
            {
                rows[count++] = (byte)code;
            }
            else if (code < next)
            {
                Repeat(rows, start[code], length[code], ref count);
            }
            else if (code == next && previous >= 0)
            {
                // The run before and its own first byte.
                Repeat(rows, previousStart, begin - previousStart + 1, ref count);
            }
            else
            {
                throw new ImageFormatException("it is damaged: a TIFF with invalid codes");
            }

            if (previous >= 0 && next < 1 << MostBits)
            {
                (start[next], length[next]) = (previousStart, begin - previousStart + 1);
                next++;
                size = next >= (1 << size) - 1 && size < MostBits ? size + 1 : size;
            }

            (previous, previousStart) = (code, begin);
        }

        return count;
    }

    // Byte by byte: a run may overlap what it makes.
    private static void Repeat(Span<byte> rows, int from, int length, ref int count)
    {
        for (var i = 0; i < length && count < rows.Length; i++)
        {
            rows[count++] = rows[from + i];
        }
    }
}
