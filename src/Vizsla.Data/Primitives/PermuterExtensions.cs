namespace Vizsla.Primitives;

/// <summary>Permutations from any <see cref="IPermuter"/>.</summary>
public static class PermuterExtensions
{
    /// <summary>The numbers 0 to <paramref name="count"/> - 1 in random order: numpy's <c>permutation(count)</c>.</summary>
    /// <param name="permuter">The generator.</param>
    /// <param name="count">How many numbers, 0 or more.</param>
    public static int[] Permutation(this IPermuter permuter, int count)
    {
        ArgumentNullException.ThrowIfNull(permuter);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        int[] order = [.. Enumerable.Range(0, count)];
        permuter.Shuffle(order);
        return order;
    }

    /// <summary>A shuffled copy: numpy's <c>permutation(values)</c>.</summary>
    /// <param name="permuter">The generator.</param>
    /// <param name="values">The values; not changed.</param>
    public static int[] Permutation(this IPermuter permuter, ReadOnlySpan<int> values)
    {
        ArgumentNullException.ThrowIfNull(permuter);
        var copy = values.ToArray();
        permuter.Shuffle(copy);
        return copy;
    }
}
