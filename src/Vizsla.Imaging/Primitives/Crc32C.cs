using System.Numerics;
using System.Runtime.InteropServices;

namespace Vizsla.Primitives;

/// <summary>The check sum CRC-32C (Castagnoli), for which processors have an instruction.</summary>
internal static class Crc32C
{
    /// <summary>Check sum of bytes.</summary>
    /// <param name="data">The bytes.</param>
    public static uint Of(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(data))
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (var rest in data[(data.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }

        return ~crc;
    }
}
