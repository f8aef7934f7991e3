namespace Vizsla.Distributed;

/// <summary>The upper half of a float32, rounded to the nearest, ties to even.</summary>
internal static class BFloat16
{
    private const uint Infinity = 0x7F800000;
    private const uint Quiet = 0x00400000;

    /// <summary>The numbers of bits.</summary>
    public static void Widen(ReadOnlySpan<ushort> bits, Span<float> values)
    {
        for (var i = 0; i < bits.Length; i++)
        {
            values[i] = Widen(bits[i]);
        }
    }

    /// <summary>The number of bits.</summary>
    public static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The bits of numbers.</summary>
    public static void Round(ReadOnlySpan<float> values, Span<ushort> bits)
    {
        for (var i = 0; i < values.Length; i++)
        {
            bits[i] = Round(values[i]);
        }
    }

    /// <summary>The bits of a number; of what is no number, bits of such.</summary>
    public static ushort Round(float value)
    {
        var whole = BitConverter.SingleToUInt32Bits(value);
        return (whole & ~0x80000000) > Infinity ? (ushort)((whole | Quiet) >> 16) : (ushort)((whole + 0x7FFF + ((whole >> 16) & 1)) >> 16);
    }
}
