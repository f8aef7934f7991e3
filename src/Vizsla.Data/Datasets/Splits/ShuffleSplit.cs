using Vizsla.Primitives;

namespace Vizsla.Datasets.Splits;

/// <summary>Two parts of shuffled rows: identical rows in identical order to scikit-learn.</summary>
/// <remarks>Source: scikit-learn <c>train_test_split(rows, test_size, random_state)</c>. Parity: exact, texts of the errors included.</remarks>
public static class ShuffleSplit
{
    /// <summary>Splits rows without regard to labels.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="testSize">Fraction or number of rows of the second part; null with <paramref name="trainSize"/> null means 0.25.</param>
    /// <param name="randomState">The seed; null keeps the order: the first rows are the first part.</param>
    /// <param name="trainSize">Fraction or number of rows of the first part; null takes the rest.</param>
    /// <returns>Row numbers of both parts in output order.</returns>
    /// <exception cref="DatasetException">A size is outside.</exception>
    public static (int[] Train, int[] Test) Split(int count, SplitSize? testSize, uint? randomState, SplitSize? trainSize = null)
    {
        var (trainCount, testCount) = SplitSizes.Resolve(count, testSize, trainSize);
        return randomState is { } seed
            ? Take(new NumpyRandomState(seed).Permutation(count), trainCount, testCount)
            : ([.. Enumerable.Range(0, trainCount)], [.. Enumerable.Range(trainCount, testCount)]);
    }

    internal static (int[] Train, int[] Test) Take(int[] order, int trainCount, int testCount) =>
        (order[testCount..(testCount + trainCount)], order[..testCount]);
}
