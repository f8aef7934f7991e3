namespace Vizsla.Imaging.Tiff;

/// <summary>Decodes LZMA chunks into one growing run of bytes.</summary>
/// <remarks>Source: the LZMA specification (7-Zip, public domain).</remarks>
internal sealed class LzmaDecoder
{
    private const ushort EvenOdds = 1 << 10;
    private const int MatchStates = 12;
    private const int PositionStates = 16;

    private readonly ushort[] _isMatch = new ushort[MatchStates * PositionStates];
    private readonly ushort[] _isRepeat = new ushort[MatchStates];
    private readonly ushort[] _isRepeat0 = new ushort[MatchStates];
    private readonly ushort[] _isRepeat1 = new ushort[MatchStates];
    private readonly ushort[] _isRepeat2 = new ushort[MatchStates];
    private readonly ushort[] _isRepeat0Long = new ushort[MatchStates * PositionStates];
    private readonly ushort[] _distanceSlots = new ushort[4 * 64];
    private readonly ushort[] _distances = new ushort[128];
    private readonly ushort[] _distanceLow = new ushort[16];
    private readonly ushort[] _matchLengths = new ushort[2 + 2 * PositionStates * 8 + 256];
    private readonly ushort[] _repeatLengths = new ushort[2 + 2 * PositionStates * 8 + 256];
    private ushort[] _literals = [];
    private int _literalContextBits;
    private int _literalPositionMask;
    private int _positionMask;
    private int _state;
    private int _repeat0;
    private int _repeat1;
    private int _repeat2;
    private int _repeat3;

    /// <summary>Forgets what was learned.</summary>
    /// <param name="properties">New numbers of context bits, or null to keep those before.</param>
    /// <exception cref="ImageFormatException">The properties are invalid.</exception>
    public void Reset(byte? properties)
    {
        if (properties is { } packed)
        {
            if (packed >= 9 * 5 * 5)
            {
                throw new ImageFormatException("it is damaged: a TIFF whose LZMA data are broken");
            }

            _literalContextBits = packed % 9;
            var literalPositionBits = packed / 9 % 5;
            _literalPositionMask = (1 << literalPositionBits) - 1;
            _positionMask = (1 << packed / 45) - 1;
            _literals = new ushort[0x300 << (_literalContextBits + literalPositionBits)];
        }

        foreach (var odds in (ReadOnlySpan<ushort[]>)[
            _isMatch, _isRepeat, _isRepeat0, _isRepeat1, _isRepeat2, _isRepeat0Long, _distanceSlots, _distances, _distanceLow, _matchLengths, _repeatLengths, _literals])
        {
            Array.Fill(odds, EvenOdds);
        }

        (_state, _repeat0, _repeat1, _repeat2, _repeat3) = (0, 0, 0, 0, 0);
    }

    /// <summary>Decodes a chunk.</summary>
    /// <param name="data">The chunk.</param>
    /// <param name="output">The run, up to where the chunk ends.</param>
    /// <param name="position">How much of it is there already.</param>
    /// <exception cref="IndexOutOfRangeException">The chunk is damaged.</exception>
    public void Decode(ReadOnlySpan<byte> data, Span<byte> output, int position)
    {
        var range = new RangeDecoder(data);
        while (position < output.Length)
        {
            var positionState = position & _positionMask;
            if (range.Bit(ref _isMatch[_state * PositionStates + positionState]) == 0)
            {
                output[position] = Literal(ref range, output, position);
                position++;
                _state = _state < 4 ? 0 : _state < 10 ? _state - 3 : _state - 6;
                continue;
            }

            if (range.Bit(ref _isRepeat[_state]) == 0)
            {
                (_repeat3, _repeat2, _repeat1) = (_repeat2, _repeat1, _repeat0);
                var length = Length(ref range, _matchLengths, positionState);
                _state = _state < 7 ? 7 : 10;
                _repeat0 = Distance(ref range, length);
                Copy(output, ref position, length);
            }
            else if (range.Bit(ref _isRepeat0[_state]) != 0)
            {
                ChooseRepeat(ref range);
                Repeat(ref range, output, ref position, positionState);
            }
            else if (range.Bit(ref _isRepeat0Long[_state * PositionStates + positionState]) != 0)
            {
                Repeat(ref range, output, ref position, positionState);
            }
            else
            {
                _state = _state < 7 ? 9 : 11;
                Copy(output, ref position, 1);
            }
        }
    }

    private static int Length(ref RangeDecoder range, ushort[] odds, int positionState)
    {
        // Two choices, eight short and eight middle lengths for each position, and 256 long ones.
        if (range.Bit(ref odds[0]) == 0)
        {
            return 2 + range.Tree(odds.AsSpan(2 + 8 * positionState), 3);
        }

        return range.Bit(ref odds[1]) == 0
            ? 10 + range.Tree(odds.AsSpan(2 + 8 * (PositionStates + positionState)), 3)
            : 18 + range.Tree(odds.AsSpan(2 + 16 * PositionStates), 8);
    }

    private void Copy(Span<byte> output, ref int position, int length)
    {
        for (; length > 0 && position < output.Length; length--, position++)
        {
            output[position] = output[position - _repeat0 - 1];
        }
    }

    private void Repeat(ref RangeDecoder range, Span<byte> output, ref int position, int positionState)
    {
        var length = Length(ref range, _repeatLengths, positionState);
        _state = _state < 7 ? 8 : 11;
        Copy(output, ref position, length);
    }

    private void ChooseRepeat(ref RangeDecoder range)
    {
        if (range.Bit(ref _isRepeat1[_state]) == 0)
        {
            (_repeat0, _repeat1) = (_repeat1, _repeat0);
        }
        else if (range.Bit(ref _isRepeat2[_state]) == 0)
        {
            (_repeat0, _repeat1, _repeat2) = (_repeat2, _repeat0, _repeat1);
        }
        else
        {
            (_repeat0, _repeat1, _repeat2, _repeat3) = (_repeat3, _repeat0, _repeat1, _repeat2);
        }
    }

    private byte Literal(ref RangeDecoder range, ReadOnlySpan<byte> output, int position)
    {
        var before = position > 0 ? output[position - 1] : 0;
        var context = ((position & _literalPositionMask) << _literalContextBits) + (before >> (8 - _literalContextBits));
        var odds = _literals.AsSpan(0x300 * context, 0x300);
        var symbol = 1;
        if (_state >= 7)
        {
            // After a match the byte that would have gone on with it helps to guess, as far as it agrees.
            int match = output[position - _repeat0 - 1];
            while (symbol < 0x100)
            {
                var expected = match >> 7 & 1;
                match <<= 1;
                var bit = range.Bit(ref odds[((1 + expected) << 8) + symbol]);
                symbol = symbol << 1 | bit;
                if (bit != expected)
                {
                    break;
                }
            }
        }

        while (symbol < 0x100)
        {
            symbol = symbol << 1 | range.Bit(ref odds[symbol]);
        }

        return (byte)symbol;
    }

    private int Distance(ref RangeDecoder range, int length)
    {
        var slot = range.Tree(_distanceSlots.AsSpan(64 * (Math.Min(length, 5) - 2)), 6);
        if (slot < 4)
        {
            return slot;
        }

        var bits = (slot >> 1) - 1;
        var distance = (2 | slot & 1) << bits;
        return slot < 14
            ? distance + range.ReverseTree(_distances.AsSpan(distance - slot), bits)
            : distance + (range.Direct(bits - 4) << 4) + range.ReverseTree(_distanceLow, 4);
    }

    /// <summary>The arithmetic decoder below.</summary>
    private ref struct RangeDecoder
    {
        private ReadOnlySpan<byte> _data;
        private uint _range = uint.MaxValue;
        private uint _code;

        public RangeDecoder(ReadOnlySpan<byte> data)
        {
            _data = data[5..];
            for (var i = 1; i < 5; i++)
            {
                _code = _code << 8 | data[i];
            }
        }

        public int Bit(ref ushort odds)
        {
            var bound = (_range >> 11) * odds;
            int bit;
            if (_code < bound)
            {
                _range = bound;
                odds += (ushort)((2048 - odds) >> 5);
                bit = 0;
            }
            else
            {
                _range -= bound;
                _code -= bound;
                odds -= (ushort)(odds >> 5);
                bit = 1;
            }

            Normalize();
            return bit;
        }

        public int Tree(Span<ushort> odds, int bits)
        {
            var symbol = 1;
            for (var i = 0; i < bits; i++)
            {
                symbol = symbol << 1 | Bit(ref odds[symbol]);
            }

            return symbol - (1 << bits);
        }

        public int ReverseTree(Span<ushort> odds, int bits)
        {
            var (node, value) = (1, 0);
            for (var i = 0; i < bits; i++)
            {
                var bit = Bit(ref odds[node]);
                node = node << 1 | bit;
                value |= bit << i;
            }

            return value;
        }

        public int Direct(int bits)
        {
            var value = 0;
            for (; bits > 0; bits--)
            {
                _range >>= 1;
                var bit = _code >= _range ? 1 : 0;
                _code -= bit == 0 ? 0 : _range;
                value = value << 1 | bit;
                Normalize();
            }

            return value;
        }

        private void Normalize()
        {
            if (_range < 1 << 24)
            {
                _range <<= 8;
                _code = _code << 8 | (_data.IsEmpty ? (byte)0 : _data[0]);
                _data = _data.IsEmpty ? _data : _data[1..];
            }
        }
    }
}
