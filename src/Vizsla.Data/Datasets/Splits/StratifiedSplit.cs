using Vizsla.Primitives;

namespace Vizsla.Datasets.Splits;

/// <summary>Two parts with the same share of each class: identical rows in identical order to scikit-learn.</summary>
/// <remarks>Source: scikit-learn <c>train_test_split(rows, test_size, random_state, stratify=labels)</c>. Parity: exact, texts of the errors included.</remarks>
internal static class StratifiedSplit
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

/// <summary>Two parts of shuffled rows: identical rows in identical order to scikit-learn.</summary>
/// <remarks>Source: scikit-learn <c>train_test_split(rows, test_size, random_state)</c>. Parity: exact, texts of the errors included.</remarks>
internal static class ShuffleSplit
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

/// <summary>The procedure that scikit-learn and datasets share: so many rows of each class, classes in order, each part shuffled at the end.</summary>
/// <remarks>Source: scikit-learn <c>StratifiedShuffleSplit</c>, first of its splits; datasets <c>stratified_shuffle_split_generate_indices</c>. Parity: exact.</remarks>
internal static class StratifiedDraw
{
    /// <param name="classes">Class number of each row; numbers from 0, each used.</param>
    /// <param name="counts">Rows per class.</param>
    /// <param name="trainCount">Rows of the first part.</param>
    /// <param name="testCount">Rows of the second part.</param>
    /// <param name="permuter">The generator.</param>
    /// <param name="multiplyFirst">True for draws * counts / total as datasets rounds, false for counts / total * draws as scikit-learn does.</param>
    public static (int[] Train, int[] Test) Draw(ReadOnlySpan<int> classes, int[] counts, int trainCount, int testCount, IPermuter permuter, bool multiplyFirst)
    {
        RequireEnough("train_size", trainCount, counts.Length);
        RequireEnough("test_size", testCount, counts.Length);
        var rowsOfClass = counts.Select(count => new List<int>(count)).ToArray();
        for (var row = 0; row < classes.Length; row++)
        {
            rowsOfClass[classes[row]].Add(row);
        }

        var trainOfClass = ApproximateMode(counts, trainCount, permuter, multiplyFirst);
        int[] left = [.. counts.Select((count, c) => count - trainOfClass[c])];
        var testOfClass = ApproximateMode(left, testCount, permuter, multiplyFirst);
        var train = new List<int>(trainCount);
        var test = new List<int>(testCount);
        for (var c = 0; c < counts.Length; c++)
        {
            var order = permuter.Permutation(counts[c]);
            train.AddRange(order.Take(trainOfClass[c]).Select(i => rowsOfClass[c][i]));
            test.AddRange(order.Skip(trainOfClass[c]).Take(testOfClass[c]).Select(i => rowsOfClass[c][i]));
        }

        var shuffledTrain = permuter.Permutation(train.ToArray());
        return (shuffledTrain, permuter.Permutation(test.ToArray()));
    }

    private static void RequireEnough(string name, int size, int classCount)
    {
        if (size < classCount)
        {
            throw new DatasetException($"The {name} = {size} should be greater or equal to the number of classes = {classCount}");
        }
    }

    // Draws per class in proportion; what rounding down leaves goes to the largest remainders, ties at random.
    private static int[] ApproximateMode(int[] counts, int draws, IPermuter permuter, bool multiplyFirst)
    {
        double total = counts.Sum();
        double[] exact = [.. counts.Select(count => multiplyFirst ? draws * (double)count / total : count / total * draws)];
        int[] floored = [.. exact.Select(e => (int)Math.Floor(e))];
        var missing = draws - floored.Sum();
        double[] remainders = [.. exact.Select((e, c) => e - floored[c])];
        foreach (var value in remainders.Distinct().OrderDescending())
        {
            if (missing <= 0)
            {
                break;
            }

            int[] tied = [.. Enumerable.Range(0, counts.Length).Where(c => remainders[c] == value)];
            var chosen = permuter.Choose(tied, Math.Min(tied.Length, missing));
            foreach (var c in chosen)
            {
                floored[c]++;
            }

            missing -= chosen.Length;
        }

        return floored;
    }
}
