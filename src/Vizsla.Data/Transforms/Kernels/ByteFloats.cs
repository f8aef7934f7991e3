using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Levels to floats and back, many at a time.</summary>
internal static class ByteFloats
{
    /// <summary>Turns bytes into floats.</summary>
    public static void Widen(ReadOnlySpan<byte> source, Span<float> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var lanes = Vector256<float>.Count;
        var i = 0;
        for (; i + (2 * lanes) <= source.Length; i += 2 * lanes)
        {
            var words = Vector256.WidenLower(Vector128.LoadUnsafe(ref from, (nuint)i).ToVector256Unsafe());
            var (low, high) = Vector256.Widen(words);
            Vector256.ConvertToSingle(low.AsInt32()).StoreUnsafe(ref to, (nuint)i);
            Vector256.ConvertToSingle(high.AsInt32()).StoreUnsafe(ref to, (nuint)(i + lanes));
        }

        for (; i < source.Length; i++)
        {
            target[i] = source[i];
        }
    }

    /// <summary>Rounds floats, half to even, to bytes; below 0 becomes 0 and above 255 becomes 255.</summary>
    public static void RoundToEven(ReadOnlySpan<float> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        var lanes = Vector256<float>.Count;
        var i = 0;
        for (; i + (4 * lanes) <= source.Length; i += 4 * lanes)
        {
            var first = Vector256.Narrow(Rounded(ref from, i), Rounded(ref from, i + lanes));
            var second = Vector256.Narrow(Rounded(ref from, i + (2 * lanes)), Rounded(ref from, i + (3 * lanes)));
            Vector256.Narrow(first, second).StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < source.Length; i++)
        {
            target[i] = (byte)Math.Clamp(MathF.Round(source[i]), 0, 255);
        }
    }

    private static Vector256<uint> Rounded(ref float source, int at) => Vector256.ConvertToInt32(
        Vector256.Round(Vector256.Clamp(Vector256.LoadUnsafe(ref source, (nuint)at), Vector256<float>.Zero, Vector256.Create(255f)))).AsUInt32();
}
