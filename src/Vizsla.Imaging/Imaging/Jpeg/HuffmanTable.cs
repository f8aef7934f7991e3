namespace Vizsla.Imaging.Jpeg;

/// <summary>A Huffman table in the form the scans read: one pinned array, so that it is a pointer in their loops.</summary>
/// <remarks>
/// The first <see cref="LookupSize"/> entries are indexed by the next bits of the stream. An entry holds the bits to drop (0 to 7), the run of zeros before the
/// coefficient (8 to 11), the size of a coefficient whose own bits lie beyond the lookahead (12 to 15), and the coefficient where they do not (16 to 31).
/// All zero: the code itself is longer than the lookahead, and the canonical table finds it. Behind the lookup lies another of the codes alone, for progressive scans.
/// Source: libjpeg <c>jdhuff.c</c> (<c>jpeg_make_d_derived_tbl</c>, <c>jpeg_huff_decode</c>), the lookup aside. Parity: exact.
/// </remarks>
internal sealed class HuffmanTable
{
    /// <summary>Bits of the stream that the lookup takes at once.</summary>
    public const int Lookahead = 10;

    private const int LookupSize = 1 << Lookahead;
    private const int ShortSymbols = LookupSize;
    private const int LargestCodes = 2 * LookupSize;
    private const int Offsets = LargestCodes + MaximumLength + 2;
    private const int Symbols = Offsets + MaximumLength + 1;
    private const int MaximumLength = 16;

    private readonly int[] _table = GC.AllocateArray<int>(Symbols + 256, pinned: true);
    private readonly byte[] _definition = new byte[MaximumLength + 256];
    private int _length;
    private bool _built;
    private bool _builtForDc;

    /// <summary>Whether the file has defined this table.</summary>
    public bool IsDefined { get; private set; }

    /// <summary>The table as the scans read it; stays where it is for the life of this object.</summary>
    public unsafe int* Pointer => (int*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _table[0]);

    /// <summary>Takes the number of codes of each length 1 to 16 and their symbols.</summary>
    /// <param name="counts">16 bytes.</param>
    /// <param name="symbols">As many bytes as the counts add up to, 256 at most.</param>
    public void Define(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        IsDefined = true;
        var length = MaximumLength + symbols.Length;

        // Most files of a folder share their tables: nothing to build again.
        if (_length == length && counts.SequenceEqual(_definition.AsSpan(0, MaximumLength)) && symbols.SequenceEqual(_definition.AsSpan(MaximumLength, symbols.Length)))
        {
            return;
        }

        counts.CopyTo(_definition);
        symbols.CopyTo(_definition.AsSpan(MaximumLength));
        (_length, _built) = (length, false);
    }

    /// <summary>Forgets that a file defined this table.</summary>
    public void Forget() => IsDefined = false;

    /// <summary>Makes the table ready for a scan.</summary>
    /// <param name="dc">Whether the symbols are sizes of DC differences.</param>
    /// <exception cref="ImageFormatException">The codes do not fit their lengths, or a DC size is above 15.</exception>
    public void Build(bool dc)
    {
        if (_built && _builtForDc == dc)
        {
            return;
        }

        Array.Clear(_table);
        var symbols = _definition.AsSpan(MaximumLength, _length - MaximumLength);
        var (code, next) = (0, 0);
        for (var length = 1; length <= MaximumLength; length++, code <<= 1)
        {
            var count = _definition[length - 1];
            _table[Offsets + length] = next - code;
            for (var i = 0; i < count; i++, code++, next++)
            {
                var symbol = symbols[next];
                if (code >= 1 << length || (dc && symbol > 15))
                {
                    throw new ImageFormatException("it is damaged: a Huffman table is invalid");
                }

                _table[Symbols + next] = symbol;
                if (length <= Lookahead)
                {
                    Fill(code << (Lookahead - length), length, symbol);
                }
            }

            _table[LargestCodes + length] = count > 0 ? code - 1 : -1;
        }

        // A code that fits no length ends here, as symbol 0, in libjpeg too.
        _table[LargestCodes + MaximumLength + 1] = int.MaxValue;
        (_built, _builtForDc) = (true, dc);
    }

    /// <summary>Finds the code at the head of the stream.</summary>
    /// <param name="table"><see cref="Pointer"/>.</param>
    /// <param name="bits">The stream, left-justified, at least 17 bits.</param>
    /// <param name="length">Bits to drop.</param>
    /// <returns>The symbol; 0 where there is no such code.</returns>
    public static unsafe int Find(int* table, ulong bits, out int length)
    {
        var code = table[ShortSymbols + (int)(bits >> (64 - Lookahead))];
        if (code == 0)
        {
            return FindLong(table, bits, out length);
        }

        length = code >> 8;
        return code & 0xFF;
    }

    /// <summary>Finds the code at the head of the stream where the lookup does not.</summary>
    /// <param name="table"><see cref="Pointer"/>.</param>
    /// <param name="bits">The stream, left-justified, at least 17 bits.</param>
    /// <param name="length">Bits to drop.</param>
    /// <returns>The symbol; 0 where there is no such code.</returns>
    public static unsafe int FindLong(int* table, ulong bits, out int length)
    {
        length = Lookahead + 1;
        var code = (int)(bits >> (64 - length));
        while (code > table[LargestCodes + length])
        {
            length++;
            code = (int)(bits >> (64 - length));
        }

        return length > MaximumLength ? 0 : table[Symbols + ((code + table[Offsets + length]) & 0xFF)];
    }

    private void Fill(int first, int length, int symbol)
    {
        var lookup = _table.AsSpan(0, LookupSize);
        _table.AsSpan(ShortSymbols + first, 1 << (Lookahead - length)).Fill(length << 8 | symbol);
        var (run, size) = (symbol >> 4, symbol & 15);
        var rest = Lookahead - length - size;
        if (size == 0 || rest < 0)
        {
            lookup.Slice(first, 1 << (Lookahead - length)).Fill(length | run << 8 | size << 12);
            return;
        }

        for (var bits = 0; bits < 1 << size; bits++)
        {
            lookup.Slice(first + (bits << rest), 1 << rest).Fill((length + size) | run << 8 | Extend(bits, size) << 16);
        }
    }

    /// <summary>The number that some bits stand for: a leading 0 makes it negative.</summary>
    /// <param name="bits">The bits.</param>
    /// <param name="size">How many, 1 to 15.</param>
    public static int Extend(int bits, int size) => bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
}
