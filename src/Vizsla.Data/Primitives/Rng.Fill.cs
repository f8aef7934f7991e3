using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Primitives;

/// <content>Many uniform numbers at once.</content>
public sealed partial class Rng
{
    /// <summary>Numbers in [0, 1): <c>torch.rand(n)</c>.</summary>
    /// <param name="values">Receives n numbers.</param>
    public void Fill(Span<float> values)
    {
        while (!values.IsEmpty)
        {
            var count = Math.Min(_left - 1, values.Length);
            if (count == 0)
            {
                // The next draw refills the state.
                values[0] = NextSingle();
                values = values[1..];
                continue;
            }

            ToSingles(_state.AsSpan(_next, count), values);
            (_left, _next) = (_left - count, _next + count);
            values = values[count..];
        }
    }

    // What NextSingle does with one word of the state, for many.
    private static void ToSingles(ReadOnlySpan<uint> words, Span<float> values)
    {
        ref var source = ref MemoryMarshal.GetReference(words);
        ref var target = ref MemoryMarshal.GetReference(values);
        var i = 0;
        for (; i + Vector512<uint>.Count <= words.Length; i += Vector512<uint>.Count)
        {
            var y = Vector512.LoadUnsafe(ref source, (nuint)i);
            y ^= y >> 11;
            y ^= (y << 7) & Vector512.Create(0x9d2c5680u);
            y ^= (y << 15) & Vector512.Create(0xefc60000u);
            y ^= y >> 18;
            var bits = (y & Vector512.Create(0xFFFFFFu)).AsInt32();
            (Vector512.ConvertToSingle(bits) * Vector512.Create(1f / (1 << 24))).StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < words.Length; i++)
        {
            values[i] = ToSingle(Temper(words[i]));
        }
    }
}
