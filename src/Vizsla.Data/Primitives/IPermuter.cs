namespace Vizsla.Primitives;

/// <summary>What a splitter needs of a generator, so that scikit-learn's and datasets' generators share one procedure.</summary>
public interface IPermuter
{
    /// <summary>Shuffles in place: numpy's <c>shuffle</c> of one dimension.</summary>
    /// <param name="values">The values.</param>
    void Shuffle(Span<int> values);

    /// <summary>Draws without replacement: numpy's <c>choice(values, size, replace=False)</c>.</summary>
    /// <param name="values">What to choose from.</param>
    /// <param name="size">How many, at most as many as there are.</param>
    int[] Choose(ReadOnlySpan<int> values, int size);
}
