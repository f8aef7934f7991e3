using System.Buffers.Binary;

namespace Vizsla.Imaging.Jpeg;

/// <summary>A block of a unit: which tables decode it and where its coefficients go.</summary>
internal unsafe struct UnitBlock
{
    /// <summary>Table of the DC difference.</summary>
    public int* Dc;

    /// <summary>Table of the AC coefficients.</summary>
    public int* Ac;

    /// <summary>The 64 coefficients, in natural order, of the block in the next unit.</summary>
    public short* Coefficients;

    /// <summary>Distance to the block in the unit after.</summary>
    public int Step;

    /// <summary>Number of the channel in the scan.</summary>
    public int Channel;
}

/// <summary>Decodes the Huffman codes of a sequential scan.</summary>
/// <remarks>Source: libjpeg <c>jdhuff.c</c> (<c>decode_mcu</c>). Parity: exact.</remarks>
internal static unsafe class SequentialScan
{
    /// <summary>Decodes units of blocks whose coefficients are all zero in advance.</summary>
    /// <param name="source">Where the bits come from; exhausted when they do not suffice.</param>
    /// <param name="blocks">The blocks of a unit; their places move on.</param>
    /// <param name="blockCount">Blocks of a unit.</param>
    /// <param name="units">Units to decode.</param>
    /// <param name="predictions">Last DC value of each channel.</param>
    /// <param name="order"><see cref="JpegReader.NaturalOrder"/>.</param>
    public static void Decode(EntropySource source, UnitBlock* blocks, int blockCount, int units, int* predictions, byte* order)
    {
        // Everything that changes with each code lives in locals, which the compiler keeps in registers.
        var bits = source.Stream.Bits;
        var count = source.Stream.Count;
        var next = source.Stream.Next;
        var end = source.Stream.End;
        while (units-- > 0)
        {
            for (var block = blocks; block < blocks + blockCount; block++)
            {
                var coefficients = block->Coefficients;
                block->Coefficients += block->Step;
                if (count < 32)
                {
                    bits |= BinaryPrimitives.ReverseEndianness(*(ulong*)next) >> count;
                    next += (63 - count) >> 3;
                    count |= 56;
                }

                var entry = block->Dc[bits >> (64 - HuffmanTable.Lookahead)];
                int length, size, difference;
                if ((uint)entry > ushort.MaxValue)
                {
                    length = entry & 0xFF;
                    difference = entry >> 16;
                }
                else
                {
                    length = entry & 0xFF;
                    size = entry >> 12;
                    if (length == 0)
                    {
                        size = HuffmanTable.FindLong(block->Dc, bits, out length);
                    }

                    difference = size == 0 ? 0 : HuffmanTable.Extend((int)(bits << length >> (64 - size)), size);
                    length += size;
                }

                bits <<= length;
                count -= length;
                coefficients[0] = (short)(predictions[block->Channel] += difference);

                var ac = block->Ac;
                var k = 1;
                do
                {
                    if (count < 32)
                    {
                        bits |= BinaryPrimitives.ReverseEndianness(*(ulong*)next) >> count;
                        next += (63 - count) >> 3;
                        count |= 56;
                    }

                    entry = ac[bits >> (64 - HuffmanTable.Lookahead)];
                    length = entry & 0xFF;
                    k += (entry >> 8) & 15;
                    if ((uint)entry > ushort.MaxValue)
                    {
                        bits <<= length;
                        count -= length;
                        coefficients[order[k++]] = (short)(entry >> 16);
                        continue;
                    }

                    size = (entry >> 12) & 15;
                    if (length == 0)
                    {
                        var symbol = HuffmanTable.FindLong(ac, bits, out length);
                        k += symbol >> 4;
                        size = symbol & 15;
                        entry = symbol << 4;
                    }

                    bits <<= length;
                    count -= length;
                    if (size == 0)
                    {
                        // Sixteen zeros, or the end of the block.
                        if ((entry & 0xF00) != 0xF00)
                        {
                            break;
                        }

                        k++;
                        continue;
                    }

                    coefficients[order[k++]] = (short)HuffmanTable.Extend((int)(bits >> (64 - size)), size);
                    bits <<= size;
                    count -= size;
                }
                while (k < 64);
            }

            if ((next - end) * 8 > count)
            {
                source.IsExhausted = true;
                break;
            }
        }

        source.Stream.Bits = bits;
        source.Stream.Count = count;
        source.Stream.Next = next;
    }
}
