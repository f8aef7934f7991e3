namespace Vizsla.Imaging.Jpeg;

/// <summary>Decodes the scans of a progressive file, each of which adds coefficients or bits to those before.</summary>
/// <remarks>Source: libjpeg <c>jdphuff.c</c>. Parity: exact.</remarks>
internal unsafe struct ProgressiveScan
{
    private readonly byte* _order;
    private readonly int _first;
    private readonly int _last;
    private readonly int _low;
    private readonly bool _refines;
    private int _emptyBlocks;

    /// <summary>Begins with a scan.</summary>
    /// <param name="reader">Stands at the scan.</param>
    /// <param name="order"><see cref="JpegReader.NaturalOrder"/>.</param>
    /// <exception cref="ImageFormatException">The scan's band or bits are invalid.</exception>
    public ProgressiveScan(JpegReader reader, byte* order)
    {
        (_first, _last) = reader.Band;
        (var high, _low) = reader.Bits;
        _order = order;
        _refines = high != 0;
        var invalid = _first == 0 ? _last != 0 : _first > _last || _last > 63 || reader.Scanned.Length != 1;
        if (invalid || (_refines && _low != high - 1) || _low > 13)
        {
            throw new ImageFormatException("it is damaged: a progressive JPEG with an invalid scan");
        }

        foreach (var component in reader.Scanned)
        {
            component.LowestBit.AsSpan(_first, _last - _first + 1).Fill((sbyte)_low);
        }
    }

    /// <summary>Whether the scan holds the DC coefficients.</summary>
    public readonly bool IsDc => _first == 0;

    /// <summary>Whether the scan reads Huffman tables of DC differences, of AC coefficients, or neither.</summary>
    public readonly (bool Dc, bool Ac) Tables => (IsDc && !_refines, !IsDc);

    /// <summary>Forgets the run of empty blocks, as a restart does.</summary>
    public void Restart() => _emptyBlocks = 0;

    /// <summary>Decodes units.</summary>
    /// <param name="source">Where the bits come from; exhausted when they do not suffice.</param>
    /// <param name="blocks">The blocks of a unit; their places move on.</param>
    /// <param name="blockCount">Blocks of a unit.</param>
    /// <param name="units">Units to decode.</param>
    /// <param name="predictions">Last DC value of each channel.</param>
    public void Decode(EntropySource source, UnitBlock* blocks, int blockCount, int units, int* predictions)
    {
        var stream = source.Stream;
        for (var unit = 0; unit < units && !source.IsExhausted; unit++)
        {
            for (var block = blocks; block < blocks + blockCount; block++)
            {
                var coefficients = block->Coefficients;
                block->Coefficients += block->Step;
                if (!IsDc)
                {
                    if (_refines)
                    {
                        Refine(ref stream, block->Ac, coefficients);
                    }
                    else
                    {
                        Begin(ref stream, block->Ac, coefficients);
                    }
                }
                else if (_refines)
                {
                    coefficients[0] |= (short)(stream.Take(1) << _low);
                }
                else
                {
                    var size = stream.TakeSymbol(block->Dc);
                    predictions[block->Channel] += size == 0 ? 0 : HuffmanTable.Extend(stream.Take(size), size);
                    coefficients[0] = (short)(predictions[block->Channel] << _low);
                }
            }

            source.IsExhausted = stream.IsOverdrawn;
        }

        source.Stream = stream;
    }

    private void Begin(ref BitStream stream, int* table, short* coefficients)
    {
        if (_emptyBlocks > 0)
        {
            _emptyBlocks--;
            return;
        }

        for (var k = _first; k <= _last; k++)
        {
            var symbol = stream.TakeSymbol(table);
            var (run, size) = (symbol >> 4, symbol & 15);
            if (size != 0)
            {
                k += run;
                coefficients[_order[k]] = (short)(HuffmanTable.Extend(stream.Take(size), size) << _low);
            }
            else if (run == 15)
            {
                k += 15;
            }
            else
            {
                _emptyBlocks = RunOfEmptyBlocks(ref stream, run) - 1;
                break;
            }
        }
    }

    private void Refine(ref BitStream stream, int* table, short* coefficients)
    {
        var k = _first;
        if (_emptyBlocks == 0)
        {
            for (; k <= _last; k++)
            {
                var symbol = stream.TakeSymbol(table);
                var (run, size) = (symbol >> 4, symbol & 15);
                var value = 0;
                if (size != 0)
                {
                    value = stream.Take(1) != 0 ? 1 << _low : -1 << _low;
                }
                else if (run != 15)
                {
                    _emptyBlocks = RunOfEmptyBlocks(ref stream, run);
                    break;
                }

                // Coefficients that are not zero take a bit each on the way; the run counts the others.
                for (; k <= _last; k++)
                {
                    var coefficient = coefficients + _order[k];
                    if (*coefficient != 0)
                    {
                        RefineOne(ref stream, coefficient);
                    }
                    else if (--run < 0)
                    {
                        break;
                    }
                }

                if (value != 0)
                {
                    coefficients[_order[k]] = (short)value;
                }
            }
        }

        if (_emptyBlocks > 0)
        {
            for (; k <= _last; k++)
            {
                var coefficient = coefficients + _order[k];
                if (*coefficient != 0)
                {
                    RefineOne(ref stream, coefficient);
                }
            }

            _emptyBlocks--;
        }
    }

    private readonly void RefineOne(ref BitStream stream, short* coefficient)
    {
        var bit = 1 << _low;
        if (stream.Take(1) != 0 && (*coefficient & bit) == 0)
        {
            *coefficient += (short)(*coefficient >= 0 ? bit : -bit);
        }
    }

    private static int RunOfEmptyBlocks(ref BitStream stream, int size) => (1 << size) + (size == 0 ? 0 : stream.Take(size));
}
