namespace Vizsla.Primitives;

/// <summary>What a splitter needs of a generator, so that scikit-learn's and datasets' generators share one procedure.</summary>
internal interface IPermuter
{
    /// <summary>Shuffles in place: numpy's <c>shuffle</c> of one dimension.</summary>
    /// <param name="values">The values.</param>
    void Shuffle(Span<int> values);

    /// <summary>Draws without replacement: numpy's <c>choice(values, size, replace=False)</c>.</summary>
    /// <param name="values">What to choose from.</param>
    /// <param name="size">How many, at most as many as there are.</param>
    int[] Choose(ReadOnlySpan<int> values, int size);
}

/// <summary>Permutations from any <see cref="IPermuter"/>.</summary>
internal static class PermuterExtensions
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
