using System.Buffers.Binary;

namespace Vizsla.Imaging.Jpeg;

/// <summary>The bits of a run of coded data, the stuffed zeros taken out. Beyond its end follow zero bits.</summary>
internal unsafe struct BitStream
{
    /// <summary>The next bits, left-justified; at least <see cref="Count"/> of them.</summary>
    public ulong Bits;

    /// <summary>How many bits of <see cref="Bits"/> count.</summary>
    public int Count;

    /// <summary>First byte that is not in <see cref="Bits"/> as a whole.</summary>
    public byte* Next;

    /// <summary>Behind the last byte.</summary>
    public byte* End;

    /// <summary>Whether more bits were taken than there were.</summary>
    public readonly bool IsOverdrawn => (Next - End) * 8 > Count;

    /// <summary>Makes sure of 56 bits or more.</summary>
    public void Refill()
    {
        Bits |= BinaryPrimitives.ReverseEndianness(*(ulong*)Next) >> Count;
        Next += (63 - Count) >> 3;
        Count |= 56;
    }

    /// <summary>Takes bits.</summary>
    /// <param name="size">How many, 1 to 16.</param>
    public int Take(int size)
    {
        if (Count < size)
        {
            Refill();
        }

        var value = (int)(Bits >> (64 - size));
        Bits <<= size;
        Count -= size;
        return value;
    }

    /// <summary>Takes a Huffman code.</summary>
    /// <param name="table"><see cref="HuffmanTable.Pointer"/>.</param>
    public int TakeSymbol(int* table)
    {
        if (Count < 32)
        {
            Refill();
        }

        var symbol = HuffmanTable.Find(table, Bits, out var length);
        Bits <<= length;
        Count -= length;
        return symbol;
    }
}
