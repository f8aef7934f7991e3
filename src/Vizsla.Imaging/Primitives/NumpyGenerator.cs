using System.Numerics;

namespace Vizsla.Primitives;

/// <summary>numpy's generator of today, as <c>datasets</c> makes it from a seed: PCG64 seeded through SeedSequence.</summary>
/// <remarks>Source: <c>numpy.random.default_rng(seed)</c>. Parity: exact. Not safe for several threads.</remarks>
internal sealed class NumpyGenerator : IPermuter
{
    private const int TailShuffleAbove = 10000;
    private static readonly UInt128 s_multiplier = new(2549297995355413924UL, 4865540595714422341UL);
    private readonly UInt128 _increment;
    private UInt128 _state;
    private uint? _heldHalf;

    /// <summary>Makes the generator of <c>numpy.random.default_rng(seed)</c>.</summary>
    /// <param name="seed">Any 64-bit seed.</param>
    public NumpyGenerator(ulong seed)
    {
        var words = SeedWords(seed);
        _increment = (new UInt128(words[2], words[3]) << 1) | 1;
        Step();
        _state += new UInt128(words[0], words[1]);
        Step();
    }

    /// <summary>64 random bits.</summary>
    public ulong NextUInt64()
    {
        Step();
        return BitOperations.RotateRight((ulong)(_state >> 64) ^ (ulong)_state, (int)(_state >> 122));
    }

    /// <summary>32 random bits: the low half of a draw, then its high half.</summary>
    public uint NextUInt32()
    {
        if (_heldHalf is { } held)
        {
            _heldHalf = null;
            return held;
        }

        var draw = NextUInt64();
        _heldHalf = (uint)(draw >> 32);
        return (uint)draw;
    }

    /// <summary>A float64 in [0, 1): <c>random()</c>.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / 9007199254740992.0);

    /// <inheritdoc/>
    public void Shuffle(Span<int> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = NextMasked((uint)i);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <inheritdoc/>
    public int[] Choose(ReadOnlySpan<int> values, int size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, values.Length);
        var positions = values.Length > TailShuffleAbove && size > values.Length / 50
            ? ChooseByTailShuffle(values.Length, size)
            : ChooseByFloyd(values.Length, size);
        for (var i = 0; i < positions.Length; i++)
        {
            positions[i] = values[positions[i]];
        }

        return positions;
    }

    /// <summary>Draws positions with replacement by probability: <c>choice(len(p), size, p=p)</c>.</summary>
    /// <param name="probabilities">Probabilities, each 0 or more, summing to 1.</param>
    /// <param name="size">How many.</param>
    public int[] ChooseWeighted(ReadOnlySpan<double> probabilities, int size)
    {
        var cumulative = new double[probabilities.Length];
        var sum = 0.0;
        for (var i = 0; i < cumulative.Length; i++)
        {
            sum += probabilities[i];
            cumulative[i] = sum;
        }

        for (var i = 0; i < cumulative.Length; i++)
        {
            cumulative[i] /= sum;
        }

        var chosen = new int[size];
        for (var k = 0; k < size; k++)
        {
            var draw = NextDouble();
            var position = Array.FindIndex(cumulative, c => c > draw);
            chosen[k] = position;
        }

        return chosen;
    }

    private int[] ChooseByTailShuffle(int count, int size)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        ShuffleDownTo(order, Math.Max(count - size, 1));
        return order[(count - size)..];
    }

    private int[] ChooseByFloyd(int count, int size)
    {
        var seen = new HashSet<int>(size);
        var chosen = new int[size];
        for (var k = 0; k < size; k++)
        {
            var last = count - size + k;
            var value = (int)NextBounded((uint)last);
            value = seen.Add(value) ? value : last;
            seen.Add(value);
            chosen[k] = value;
        }

        ShuffleDownTo(chosen, 1);
        return chosen;
    }

    private void ShuffleDownTo(Span<int> values, int first)
    {
        for (var i = values.Length - 1; i >= first; i--)
        {
            var j = (int)NextBounded((uint)i);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    private int NextMasked(uint max)
    {
        var mask = BitOperations.RoundUpToPowerOf2(max + 1) - 1;
        uint value;
        do
        {
            value = NextUInt32() & mask;
        }
        while (value > max);
        return (int)value;
    }

    // Lemire's multiplication with rejection.
    private uint NextBounded(uint max)
    {
        if (max == 0)
        {
            return 0;
        }

        var range = max + 1;
        var product = (ulong)NextUInt32() * range;
        if ((uint)product < range)
        {
            var threshold = (uint.MaxValue - max) % range;
            while ((uint)product < threshold)
            {
                product = (ulong)NextUInt32() * range;
            }
        }

        return (uint)(product >> 32);
    }

    private void Step() => _state = (_state * s_multiplier) + _increment;

    // numpy's SeedSequence: four words of entropy mixed each into each, then hashed into eight.
    private static ulong[] SeedWords(ulong seed)
    {
        Span<uint> pool = stackalloc uint[4];
        var hash = 0x43b0d7e5u;
        for (var i = 0; i < pool.Length; i++)
        {
            pool[i] = HashMix(i switch { 0 => (uint)seed, 1 => (uint)(seed >> 32), _ => 0 }, ref hash);
        }

        for (var source = 0; source < pool.Length; source++)
        {
            for (var target = 0; target < pool.Length; target++)
            {
                if (source != target)
                {
                    pool[target] = Mix(pool[target], HashMix(pool[source], ref hash));
                }
            }
        }

        Span<uint> words = stackalloc uint[8];
        hash = 0x8b51f9ddu;
        for (var i = 0; i < words.Length; i++)
        {
            var word = pool[i % 4] ^ hash;
            hash *= 0x58f38dedu;
            word *= hash;
            words[i] = word ^ (word >> 16);
        }

        var pairs = new ulong[4];
        for (var i = 0; i < pairs.Length; i++)
        {
            pairs[i] = words[2 * i] | ((ulong)words[(2 * i) + 1] << 32);
        }

        return pairs;
    }

    private static uint HashMix(uint value, ref uint hash)
    {
        value ^= hash;
        hash *= 0x931e8875u;
        value *= hash;
        return value ^ (value >> 16);
    }

    private static uint Mix(uint x, uint y)
    {
        var result = (0xca01f9ddu * x) - (0x4973f715u * y);
        return result ^ (result >> 16);
    }
}
