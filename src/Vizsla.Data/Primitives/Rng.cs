using System.Runtime.Intrinsics;

namespace Vizsla.Primitives;

/// <summary>torch's CPU generator: MT19937 with torch's rules from a draw to a value.</summary>
/// <remarks>Source: <c>torch.Generator</c> (<c>at::mt19937</c>, <c>CPUGeneratorImpl</c>). Parity: exact. Not safe for several threads.</remarks>
public sealed partial class Rng
{
    private const int StateLength = 624;
    private const int Offset = 397;
    private readonly uint[] _state = new uint[StateLength];
    private ulong _seed;
    private int _left;
    private int _next;

    /// <summary>Makes the generator that <c>torch.manual_seed(seed)</c> leaves behind.</summary>
    /// <param name="seed">Any 64-bit seed; as in torch only the low 32 bits matter.</param>
    public Rng(ulong seed) => Seed(seed);

    /// <summary>Starts over as <c>torch.manual_seed(seed)</c> does.</summary>
    /// <param name="seed">Any 64-bit seed; as in torch only the low 32 bits matter.</param>
    public void Seed(ulong seed)
    {
        _seed = seed;
        _state[0] = (uint)seed;
        for (var i = 1; i < StateLength; i++)
        {
            _state[i] = 1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30)) + (uint)i;
        }

        (_left, _next) = (1, 0);
        (_keptDouble, _keptSingle) = (null, null);
    }

    /// <summary>The generator of one sample in one epoch of a run: the same draws for any number of workers, any batch size, and after a resume.</summary>
    /// <param name="seed">The run's data seed.</param>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="index">Row of the sample in its dataset.</param>
    public static Rng ForSample(ulong seed, long epoch, long index) => new(SampleSeed(seed, epoch, index));

    /// <summary>The seed behind <see cref="ForSample"/>, for a generator that is reused.</summary>
    /// <param name="seed">The run's data seed.</param>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="index">Row of the sample in its dataset.</param>
    public static ulong SampleSeed(ulong seed, long epoch, long index)
    {
        // SplitMix64 over the three numbers: neighbours in any of them get unrelated generators.
        var mixed = Mix(Mix(Mix(seed) + (ulong)epoch) + (ulong)index);
        return mixed >> 32;
    }

    /// <summary>32 random bits: one draw of the twister.</summary>
    public uint NextUInt32()
    {
        if (--_left == 0)
        {
            Refill();
        }

        return Temper(_state[_next++]);
    }

    /// <summary>64 random bits: two draws, the first one high.</summary>
    public ulong NextUInt64()
    {
        var high = (ulong)NextUInt32();
        return (high << 32) | NextUInt32();
    }

    /// <summary>A float32 in [0, 1): <c>torch.rand(1)</c>, 24 bits of one draw.</summary>
    public float NextSingle() => ToSingle(NextUInt32());

    /// <summary>A float64 in [0, 1): <c>torch.rand(1, dtype=torch.float64)</c>, 53 bits of two draws.</summary>
    public double NextDouble() => (NextUInt64() & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));

    /// <summary>A float32 in [low, high): <c>torch.empty(1).uniform_(low, high)</c>.</summary>
    /// <param name="low">Lower bound.</param>
    /// <param name="high">Upper bound.</param>
    /// <remarks>One rounding, not two: torch's build fuses the multiplication and the addition.</remarks>
    public float Uniform(double low, double high) => MathF.FusedMultiplyAdd(NextSingle(), (float)high - (float)low, (float)low);

    private static float ToSingle(uint bits) => (bits & 0xFFFFFF) * (1f / (1 << 24));

    private static uint Temper(uint y)
    {
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680u;
        y ^= (y << 15) & 0xefc60000u;
        return y ^ (y >> 18);
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    private void Refill()
    {
        Twist(0, StateLength - Offset, Offset);
        Twist(StateLength - Offset, StateLength - 1, Offset - StateLength);
        _state[^1] = _state[Offset - 1] ^ Twist(_state[^1], _state[0]);
        (_left, _next) = (StateLength, 0);
    }

    // Many words at once: what a word needs lies further away than a vector is long, and the word behind it is still the old one.
    private void Twist(int from, int to, int offset)
    {
        var s = _state;
        var i = from;
        for (; i + Vector256<uint>.Count <= to; i += Vector256<uint>.Count)
        {
            var low = Vector256.Create(s, i + 1);
            var word = (Vector256.Create(s, i) & Vector256.Create(0x80000000u)) | (low & Vector256.Create(0x7fffffffu));
            var twisted = (word >> 1) ^ ((low & Vector256<uint>.One) * Vector256.Create(0x9908b0dfu));
            (Vector256.Create(s, i + offset) ^ twisted).CopyTo(s, i);
        }

        for (; i < to; i++)
        {
            s[i] = s[i + offset] ^ Twist(s[i], s[i + 1]);
        }
    }

    private static uint Twist(uint high, uint low) =>
        (((high & 0x80000000u) | (low & 0x7fffffffu)) >> 1) ^ ((low & 1) * 0x9908b0dfu);
}
