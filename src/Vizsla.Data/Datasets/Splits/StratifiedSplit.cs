using Vizsla.Primitives;

namespace Vizsla.Datasets.Splits;

/// <summary>Two parts with the same share of each class: identical rows in identical order to scikit-learn.</summary>
/// <remarks>Source: scikit-learn <c>train_test_split(rows, test_size, random_state, stratify=labels)</c>. Parity: exact, texts of the errors included.</remarks>
public static class StratifiedSplit
{
    /// <summary>Splits rows by their labels.</summary>
    /// <param name="labels">Label of each row.</param>
    /// <param name="testSize">Fraction or number of rows of the second part; null with <paramref name="trainSize"/> null means 0.25.</param>
    /// <param name="randomState">The seed.</param>
    /// <param name="trainSize">Fraction or number of rows of the first part; null takes the rest.</param>
    /// <returns>Row numbers of both parts in output order.</returns>
    /// <exception cref="DatasetException">A size is outside, or a class is too small.</exception>
    public static (int[] Train, int[] Test) Split(IReadOnlyList<string> labels, SplitSize? testSize, uint randomState, SplitSize? trainSize = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        var (trainCount, testCount) = SplitSizes.Resolve(labels.Count, testSize, trainSize);
        var names = LabelSet.Sorted(labels);
        var counts = new int[names.Count];
        var classes = new int[labels.Count];
        for (var row = 0; row < classes.Length; row++)
        {
            classes[row] = names.IndexOf(labels[row]);
            counts[classes[row]]++;
        }

        var small = names.Where((_, c) => counts[c] < 2).Select(name => $"'{name}'").ToList();
        return small.Count == 0
            ? StratifiedDraw.Draw(classes, counts, trainCount, testCount, new NumpyRandomState(randomState), multiplyFirst: false)
            : throw new DatasetException($"The least populated classes in y have only 1 member, which is too few. The minimum number of groups for any class cannot be less than 2. Classes with too few members are: [{string.Join(", ", small)}]");
    }
}
