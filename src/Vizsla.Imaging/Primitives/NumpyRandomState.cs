using System.Numerics;

namespace Vizsla.Primitives;

/// <summary>numpy's legacy generator, as scikit-learn makes it from <c>random_state</c>: MT19937 with masked rejection.</summary>
/// <remarks>Source: <c>numpy.random.RandomState(seed)</c> for an integer seed. Parity: exact. Not safe for several threads.</remarks>
public sealed class NumpyRandomState : IPermuter
{
    // numpy's legacy seeding is torch's: the same twister, another rule from a draw to a value.
    private readonly Rng _twister;

    /// <summary>Makes the generator of <c>numpy.random.RandomState(seed)</c>.</summary>
    /// <param name="seed">Any 32-bit seed.</param>
    public NumpyRandomState(uint seed) => _twister = new(seed);

    /// <summary>A float64 in [0, 1): <c>random_sample()</c>, 53 bits of two draws.</summary>
    public double NextDouble()
    {
        var high = _twister.NextUInt32() >> 5;
        var low = _twister.NextUInt32() >> 6;
        return ((high * 67108864.0) + low) / 9007199254740992.0;
    }

    /// <summary>An integer from 0 to <paramref name="max"/>: masked draws until one fits; nothing is drawn for 0.</summary>
    /// <param name="max">Largest value, included.</param>
    public int NextInterval(int max)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(max);
        if (max == 0)
        {
            return 0;
        }

        var mask = BitOperations.RoundUpToPowerOf2((uint)max + 1) - 1;
        uint value;
        do
        {
            value = _twister.NextUInt32() & mask;
        }
        while (value > max);
        return (int)value;
    }

    /// <inheritdoc/>
    public void Shuffle(Span<int> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = NextInterval(i);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <inheritdoc/>
    public int[] Choose(ReadOnlySpan<int> values, int size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, values.Length);
        var order = this.Permutation(values.Length);
        var chosen = new int[size];
        for (var i = 0; i < size; i++)
        {
            chosen[i] = values[order[i]];
        }

        return chosen;
    }

    /// <summary>The seed that <c>datasets</c> takes from numpy's global generator where none is given; moves the generator on.</summary>
    internal uint NextGlobalSeed()
    {
        var seed = _twister.CurrentWord;
        _ = NextDouble();
        return seed;
    }
}
