namespace Vizsla.Primitives;

/// <content>Whole numbers and orders.</content>
public sealed partial class Rng
{
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
}
