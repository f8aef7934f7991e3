using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Transforms;

/// <summary>Levels to floats and back, many at a time.</summary>
internal static class ByteFloats
{
    private static readonly int Block = Vector256<byte>.Count;

    /// <summary>Turns bytes into floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundToEven(ReadOnlySpan<float> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        var i = 0;
        for (; i + Block <= source.Length; i += Block)
        {
            Narrow(
                Vector256.Round(Clamped(ref from, i, 0)), Vector256.Round(Clamped(ref from, i, 1)),
                Vector256.Round(Clamped(ref from, i, 2)), Vector256.Round(Clamped(ref from, i, 3)),
                target[i..]);
        }

        for (; i < source.Length; i++)
        {
            target[i] = (byte)Math.Clamp(MathF.Round(source[i]), 0, 255);
        }
    }

    /// <summary>Truncates floats to bytes; below 0 becomes 0 and above 255 becomes 255.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Truncate(ReadOnlySpan<float> source, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        var i = 0;
        for (; i + Block <= source.Length; i += Block)
        {
            Narrow(Clamped(ref from, i, 0), Clamped(ref from, i, 1), Clamped(ref from, i, 2), Clamped(ref from, i, 3), target[i..]);
        }

        for (; i < source.Length; i++)
        {
            target[i] = (byte)Math.Clamp(source[i], 0f, 255f);
        }
    }

    private static void Narrow(Vector256<float> first, Vector256<float> second, Vector256<float> third, Vector256<float> fourth, Span<byte> target)
    {
        var low = Vector256.Narrow(Vector256.ConvertToInt32(first).AsUInt32(), Vector256.ConvertToInt32(second).AsUInt32());
        var high = Vector256.Narrow(Vector256.ConvertToInt32(third).AsUInt32(), Vector256.ConvertToInt32(fourth).AsUInt32());
        Vector256.Narrow(low, high).CopyTo(target);
    }

    private static Vector256<float> Clamped(ref float source, int at, int vector) => Vector256.Clamp(
        Vector256.LoadUnsafe(ref source, (nuint)(at + (vector * Vector256<float>.Count))), Vector256<float>.Zero, Vector256.Create(255f));
}
