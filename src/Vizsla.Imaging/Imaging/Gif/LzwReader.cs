namespace Vizsla.Imaging.Gif;

/// <summary>Decompresses the indexes of a GIF picture.</summary>
/// <remarks>Source: Pillow <c>GifDecode.c</c>; the GIF89a specification. Parity: exact.</remarks>
internal static class LzwReader
{
    private const int MostBits = 12;
    private const int TableSize = 1 << MostBits;

    /// <summary>Fills the rectangle of the picture.</summary>
    /// <param name="data">The file from the first data block on.</param>
    /// <param name="header">Where the rectangle lies.</param>
    /// <param name="indexes">One byte a pixel of the whole screen.</param>
    /// <exception cref="ImageFormatException">The codes are invalid or end too early.</exception>
    public static void Read(ReadOnlySpan<byte> data, GifHeader header, Span<byte> indexes)
    {
        if (header.Bits > MostBits)
        {
            throw Damaged();
        }

        Span<byte> last = stackalloc byte[TableSize];
        Span<ushort> link = stackalloc ushort[TableSize];
        Span<byte> text = stackalloc byte[TableSize + 1];
        var rows = new RowWalk(header, indexes);
        var (clear, end) = (1 << header.Bits, (1 << header.Bits) + 1);
        var (next, size, previous, first) = (clear + 2, header.Bits + 1, -1, (byte)0);
        var (bits, count, block) = (0u, 0, 0);
        while (!rows.IsDone)
        {
            for (; count < size; count += 8)
            {
                while (block == 0)
                {
                    block = Take(ref data);
                }

                bits |= (uint)Take(ref data) << count;
                block--;
            }

            var code = (int)(bits & ((1u << size) - 1));
            bits >>= size;
            count -= size;
            if (code == clear)
            {
                (next, size, previous) = (clear + 2, header.Bits + 1, -1);
                continue;
            }

            if (code == end)
            {
                throw new ImageFormatException(ImageFormatException.CutShort);
            }

            if (previous < 0)
            {
                first = code < clear ? (byte)code : throw Damaged();
                rows.Write([first]);
                previous = code;
                continue;
            }

            if (code > next)
            {
                throw Damaged();
            }

            var start = text.Length;
            var symbol = code;
            if (code == next)
            {
                text[--start] = first;
                symbol = previous;
            }

            for (; symbol >= clear; symbol = link[symbol])
            {
                if (symbol >= TableSize || start <= 1)
                {
                    throw Damaged();
                }

                text[--start] = last[symbol];
            }

            first = (byte)symbol;
            text[--start] = first;
            rows.Write(text[start..]);
            if (next < TableSize)
            {
                (last[next], link[next]) = (first, (ushort)previous);
                if (next == (1 << size) - 1 && size < MostBits)
                {
                    size++;
                }

                next++;
            }

            previous = code;
        }
    }

    private static ImageFormatException Damaged() => new("it is damaged: a GIF with invalid codes");

    private static byte Take(ref ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            throw new ImageFormatException(ImageFormatException.CutShort);
        }

        var value = data[0];
        data = data[1..];
        return value;
    }

    /// <summary>Goes through the rows in their order, which is that of four passes for interlaced pictures.</summary>
    private ref struct RowWalk(GifHeader header, Span<byte> indexes)
    {
        private readonly Span<byte> _indexes = indexes;
        private int _x;
        private int _y;
        private int _pass = header.IsInterlaced ? 0 : 3;
        private int _step = header.IsInterlaced ? 8 : 1;

        public bool IsDone { get; private set; } = header.FrameWidth == 0 || header.FrameHeight == 0;

        public void Write(scoped ReadOnlySpan<byte> text)
        {
            while (!text.IsEmpty && !IsDone)
            {
                var part = text[..Math.Min(text.Length, header.FrameWidth - _x)];
                part.CopyTo(_indexes[((header.Top + _y) * header.Width + header.Left + _x)..]);
                text = text[part.Length..];
                _x += part.Length;
                if (_x == header.FrameWidth)
                {
                    NextRow();
                }
            }
        }

        private void NextRow()
        {
            (_x, _y) = (0, _y + _step);
            while (_y >= header.FrameHeight)
            {
                if (_pass == 3)
                {
                    IsDone = true;
                    return;
                }

                _pass++;
                (_y, _step) = _pass switch { 1 => (4, 8), 2 => (2, 4), _ => (1, 2) };
            }
        }
    }
}
