namespace Vizsla.Imaging.Tiff;

/// <summary>Expands the .xz streams that TIFF's LZMA compression stores: LZMA2, with or without a delta filter.</summary>
/// <remarks>Source: the .xz file format 1.1.0. Check sums are not looked at: the rows have to come out whole.</remarks>
internal static class XzReader
{
    private const int DeltaFilter = 3;
    private const int Lzma2Filter = 0x21;

    /// <summary>Expands a stream.</summary>
    /// <param name="stored">The stream.</param>
    /// <param name="rows">Filled with what comes out.</param>
    /// <returns>Bytes filled.</returns>
    /// <exception cref="ImageFormatException">The stream is damaged or of another kind.</exception>
    public static int Expand(ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        try
        {
            return ExpandBlock(stored, rows);
        }
        catch (IndexOutOfRangeException e)
        {
            throw new ImageFormatException("it is damaged: a TIFF whose LZMA data are broken", null, e);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new ImageFormatException("it is damaged: a TIFF whose LZMA data are broken", null, e);
        }
    }

    private static int ExpandBlock(ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        if (!stored.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]))
        {
            throw new ImageFormatException("it is damaged: a TIFF whose LZMA data are missing");
        }

        var block = stored[12..];
        var header = block[..((block[0] + 1) * 4)];
        var flags = header[1];
        var at = 2;
        for (var sizes = (flags >> 6 & 1) + (flags >> 7); sizes > 0; sizes--)
        {
            ReadNumber(header, ref at);
        }

        var delta = 0;
        for (var filter = 0; filter <= (flags & 3); filter++)
        {
            var id = ReadNumber(header, ref at);
            var length = ReadNumber(header, ref at);
            delta = id switch
            {
                DeltaFilter => header[at] + 1,
                Lzma2Filter => delta,
                _ => throw new ImageFormatException($"it is a TIFF whose LZMA data went through a filter ({id:X}) that is not read; save it as PNG"),
            };
            at += (int)length;
        }

        var count = ReadChunks(block[header.Length..], rows);
        for (var i = delta; delta > 0 && i < count; i++)
        {
            rows[i] += rows[i - delta];
        }

        return count;
    }

    // The output is its own dictionary: a strip is one run from its first byte on.
    private static int ReadChunks(ReadOnlySpan<byte> stored, Span<byte> rows)
    {
        var decoder = new LzmaDecoder();
        var count = 0;
        while (stored[0] is not 0 and var control && count < rows.Length)
        {
            if (control < 0x80)
            {
                var length = Math.Min((stored[1] << 8 | stored[2]) + 1, rows.Length - count);
                stored.Slice(3, length).CopyTo(rows[count..]);
                count += length;
                stored = stored[(3 + length)..];
                continue;
            }

            var expanded = ((control & 0x1F) << 16 | stored[1] << 8 | stored[2]) + 1;
            var packed = (stored[3] << 8 | stored[4]) + 1;
            var newProperties = control >= 0xC0;
            if (control >= 0xA0)
            {
                decoder.Reset(newProperties ? stored[5] : null);
            }

            var data = stored.Slice(newProperties ? 6 : 5, packed);
            var end = Math.Min(count + expanded, rows.Length);
            decoder.Decode(data, rows[..end], count);
            count = end;
            stored = stored[((newProperties ? 6 : 5) + packed)..];
        }

        return count;
    }

    private static long ReadNumber(ReadOnlySpan<byte> header, ref int at)
    {
        var value = 0L;
        for (var shift = 0; ; shift += 7)
        {
            var part = header[at++];
            value |= (long)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
