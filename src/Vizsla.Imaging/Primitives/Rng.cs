using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vizsla.Primitives;

/// <summary>torch's CPU generator: MT19937 with torch's rules from a draw to a value.</summary>
/// <remarks>Source: <c>torch.Generator</c> (<c>at::mt19937</c>, <c>CPUGeneratorImpl</c>). Parity: exact. Not safe for several threads.</remarks>
public sealed partial class Rng
{
    /// <summary>Bytes of a saved state.</summary>
    public const int StateSize = 5056;

    // torch's CPUGeneratorImplState: seed u64, left i32, seeded i32, next u64, 624 words as u64, normal x, y, rho f64, valid i32 (padded), float sample f32, valid u8 (padded).
    private const int LeftAt = 8;
    private const int SeededAt = 12;
    private const int NextAt = 16;
    private const int WordsAt = 24;
    private const int NormalAt = WordsAt + (8 * StateLength) + 8;
    private const int NormalValidAt = NormalAt + 16;
    private const int SingleAt = NormalValidAt + 8;
    private const int SingleValidAt = SingleAt + 4;

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

    /// <summary>A whole number: <c>torch.randint(low, high, (1,))</c>.</summary>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">One more than the largest value.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="low"/> is not below <paramref name="high"/>.</exception>
    public long NextInteger(long low, long high)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(low, high);
        var range = unchecked((ulong)(high - low));
        return unchecked((long)((range >= 1UL << 32 ? NextUInt64() : NextUInt32()) % range) + low);
    }

    /// <summary>A whole number of an <see cref="int"/>'s range: <c>torch.randint(low, high, (1,))</c>.</summary>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">One more than the largest value.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="low"/> is not below <paramref name="high"/>.</exception>
    public int NextInt32(int low, int high) => (int)NextInteger(low, high);

    /// <summary>A whole number from 0 to 2^63 - 1: <c>torch.empty((), dtype=torch.int64).random_()</c>.</summary>
    public long NextInt64() => (long)(NextUInt64() & long.MaxValue);

    /// <summary>A random order of 0 to n - 1: <c>torch.randperm(n)</c>.</summary>
    /// <param name="order">Receives the order; its length is n.</param>
    public void Permutation(Span<int> order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        // torch draws 64 bits instead from 2^32 / 20 on.
        var wide = order.Length >= uint.MaxValue / 20;
        for (var i = 0; i < order.Length - 1; i++)
        {
            var rest = (uint)(order.Length - i);
            var other = i + (int)(wide ? NextUInt64() % rest : NextUInt32() % rest);
            (order[i], order[other]) = (order[other], order[i]);
        }
    }

    /// <summary>The word of the state at the reading position, untempered; the first word where the state is used up.</summary>
    internal uint CurrentWord => _state[_next < StateLength ? _next : 0];

    /// <summary>The state as <c>torch.get_rng_state()</c> gives it.</summary>
    /// <returns><see cref="StateSize"/> bytes.</returns>
    public byte[] GetState()
    {
        var bytes = new byte[StateSize];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, _seed);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(LeftAt), _left);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(SeededAt), 1);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(NextAt), _next);
        for (var i = 0; i < StateLength; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(WordsAt + (8 * i)), _state[i]);
        }

        if (_keptDouble is { } kept)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(NormalAt), kept);
            bytes[NormalValidAt] = 1;
        }

        if (_keptSingle is { } keptSingle)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(SingleAt), keptSingle);
            bytes[SingleValidAt] = 1;
        }

        return bytes;
    }

    /// <summary>Restores a state of <see cref="GetState"/> or of <c>torch.get_rng_state()</c>.</summary>
    /// <param name="state"><see cref="StateSize"/> bytes.</param>
    /// <exception cref="ArgumentException">The bytes are no generator's state.</exception>
    public void SetState(ReadOnlySpan<byte> state)
    {
        if (state.Length != StateSize)
        {
            throw new ArgumentException(Invariant($"A generator's state has {StateSize} bytes, got {state.Length}."), nameof(state));
        }

        var left = BinaryPrimitives.ReadInt32LittleEndian(state[LeftAt..]);
        var next = BinaryPrimitives.ReadInt32LittleEndian(state[NextAt..]);
        if (left is < 1 or > StateLength || next is < 0 or > StateLength)
        {
            throw new ArgumentException(Invariant($"A generator's state has 1 to {StateLength} draws left, got {left} left and {next} next; the bytes are something else."), nameof(state));
        }

        _seed = BinaryPrimitives.ReadUInt64LittleEndian(state);
        (_left, _next) = (left, next);
        for (var i = 0; i < StateLength; i++)
        {
            _state[i] = BinaryPrimitives.ReadUInt32LittleEndian(state[(WordsAt + (8 * i))..]);
        }

        _keptDouble = state[NormalValidAt] != 0 ? BinaryPrimitives.ReadDoubleLittleEndian(state[NormalAt..]) : null;
        _keptSingle = state[SingleValidAt] != 0 ? BinaryPrimitives.ReadSingleLittleEndian(state[SingleAt..]) : null;
    }

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
