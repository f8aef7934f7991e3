namespace Vizsla.Analysis;

// N rows, K classes; the joint J[given, true] counts rows.

/// <summary>How rows whose label is probably wrong are chosen.</summary>
/// <remarks>Source: cleanlab <c>find_label_issues(filter_by=...)</c>.</remarks>
public enum LabelIssueFilter
{
    /// <summary>As many rows of each pair (given, true class) as the joint estimates, those of the largest margin first.</summary>
    PruneByNoiseRate,

    /// <summary>As many rows of each given class as the joint estimates, those of the lowest probability first.</summary>
    PruneByClass,

    /// <summary>What both of the above choose.</summary>
    Both,

    /// <summary>The rows off the diagonal of the confident joint.</summary>
    ConfidentLearning,

    /// <summary>The rows whose most likely class is another one.</summary>
    PredictedNeqGiven,
}

/// <summary>One row whose label is probably wrong.</summary>
/// <param name="Row">Number of the row, from 0.</param>
/// <param name="Given">Its label.</param>
/// <param name="Suggested">The class with the highest probability.</param>
/// <param name="Score">Probability of its label (self-confidence), 0 to 1; low is suspicious.</param>
public readonly record struct LabelIssue(int Row, int Given, int Suggested, double Score);

/// <summary>Confident learning: which labels of a data set are probably wrong, by probabilities of a model that did not see the row.</summary>
/// <remarks>
/// Source: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021); the order of operations is that of cleanlab 2.9.
/// Parity: the same rows in the same order, scores 1e-9.
/// </remarks>
public sealed class LabelIssues
{
    // cleanlab's own constants: ties with a threshold count, and a label within this of the maximum is not an issue.
    private const double Tolerance = 1e-6;
    private const double LowestThreshold = 2e-6;
    private const double UnreachableThreshold = 2;
    private const int FewestExamples = 1;

    private const int Lanes = 8;

    private static readonly (int Low, int High)[] SortingNetwork =
    [
        (0, 1), (2, 3), (4, 5), (6, 7),
        (0, 3), (1, 2), (4, 7), (5, 6),
        (0, 1), (2, 3), (4, 5), (6, 7),
        (0, 7), (1, 6), (2, 5), (3, 4),
        (0, 2), (1, 3), (4, 6), (5, 7),
        (0, 1), (2, 3), (4, 5), (6, 7),
    ];

    private readonly double[][] _probabilities;
    private readonly int[] _labels;
    private readonly int[] _mostLikely;
    private readonly int[] _counts;
    private readonly int?[] _confidentClass;

    /// <summary>Estimates how many rows of each class carry the label of another one.</summary>
    /// <param name="labels">Class of each row, [N], 0 to K - 1.</param>
    /// <param name="probabilities">Out-of-sample probabilities, [N][K].</param>
    /// <exception cref="ArgumentException">The lengths differ, a label is no class, or there are fewer than two classes.</exception>
    public LabelIssues(IReadOnlyList<int> labels, IReadOnlyList<double[]> probabilities)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(probabilities);
        _labels = [.. labels];
        _probabilities = [.. probabilities];
        ClassCount = CheckedClassCount(_labels, _probabilities);
        _mostLikely = [.. _probabilities.Select(ArgMax)];
        _counts = new int[ClassCount];
        foreach (var label in _labels)
        {
            _counts[label]++;
        }

        var thresholds = Thresholds();
        _confidentClass = [.. _probabilities.Select((row, i) => ConfidentClass(row, thresholds, _mostLikely[i]))];
        Joint = Calibrate(CountConfident());
    }

    /// <summary>Number of classes, K.</summary>
    public int ClassCount { get; }

    /// <summary>Estimated rows by [given class][true class]; each row of it sums to the rows that carry the class.</summary>
    public IReadOnlyList<int[]> Joint { get; }

    /// <summary>Probability of each row's own label, [N].</summary>
    /// <returns>0 to 1; low is suspicious.</returns>
    public double[] SelfConfidence() => [.. _labels.Select((label, i) => _probabilities[i][label])];

    /// <summary>Distance between the label's probability and the best other class's, [N].</summary>
    /// <returns>0 to 1; low is suspicious.</returns>
    public double[] NormalizedMargin() => [.. _labels.Select((label, i) =>
        (_probabilities[i][label] - _probabilities[i].Where((_, k) => k != label).Max() + 1) / 2)];

    /// <summary>The rows whose label is probably wrong, the least probable label first.</summary>
    /// <param name="filter">How they are chosen.</param>
    public IReadOnlyList<LabelIssue> Find(LabelIssueFilter filter = LabelIssueFilter.PruneByNoiseRate)
    {
        var chosen = filter switch
        {
            LabelIssueFilter.PruneByNoiseRate => ByNoiseRate(),
            LabelIssueFilter.PruneByClass => ByClass(),
            LabelIssueFilter.Both => [.. ByNoiseRate().Zip(ByClass(), (a, b) => a && b)],
            LabelIssueFilter.ConfidentLearning => [.. _confidentClass.Select((c, i) => c is { } known && known != _labels[i])],
            LabelIssueFilter.PredictedNeqGiven => [.. _mostLikely.Select((c, i) => c != _labels[i])],
            _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, null),
        };

        var scores = SelfConfidence();
        return [.. Enumerable.Range(0, _labels.Length)
            .Where(i => chosen[i] && !IsLikeliest(i))
            .OrderBy(i => scores[i])
            .Select(i => new LabelIssue(i, _labels[i], _mostLikely[i], scores[i]))];
    }

    // The mean probability of a class over the rows that carry it.
    private double[] Thresholds()
    {
        var sums = new double[ClassCount];
        for (var i = 0; i < _labels.Length; i++)
        {
            sums[_labels[i]] += _probabilities[i][_labels[i]];
        }

        return [.. sums.Select((sum, k) => _counts[k] == 0 ? UnreachableThreshold : Math.Max(sum / _counts[k], LowestThreshold))];
    }

    private static int? ConfidentClass(double[] row, double[] thresholds, int best)
    {
        int? first = null;
        var count = 0;
        for (var k = 0; k < row.Length; k++)
        {
            if (row[k] >= thresholds[k] - Tolerance)
            {
                first ??= k;
                count++;
            }
        }

        return count > 1 ? best : first;
    }

    private int[][] CountConfident()
    {
        var joint = Square();
        for (var i = 0; i < _labels.Length; i++)
        {
            if (_confidentClass[i] is { } confident)
            {
                joint[_labels[i]][confident]++;
            }
        }

        for (var k = 0; k < ClassCount; k++)
        {
            joint[k][k] = Math.Max(joint[k][k], 1);
        }

        return joint;
    }

    private int[][] Calibrate(int[][] joint)
    {
        var scaled = joint.Select((row, given) => row.Select(n => n / (double)row.Sum() * _counts[given]).ToArray()).ToArray();
        var total = scaled.Sum(row => row.Sum());
        return [.. scaled.Select(row => RoundPreservingSum([.. row.Select(x => x / total * _labels.Length)]))];
    }

    private bool[] ByNoiseRate()
    {
        var counts = PruneCounts();
        var chosen = new bool[_labels.Length];
        foreach (var (given, rows) in RowsByClass())
        {
            for (var other = 0; other < ClassCount; other++)
            {
                if (other != given && counts[other][given] > 0)
                {
                    Mark(chosen, rows.OrderByDescending(i => _probabilities[i][other] - _probabilities[i][given]).Take(counts[other][given]));
                }
            }
        }

        return chosen;
    }

    private bool[] ByClass()
    {
        var counts = PruneCounts();
        var chosen = new bool[_labels.Length];
        foreach (var (given, rows) in RowsByClass())
        {
            Mark(chosen, rows.OrderBy(i => _probabilities[i][given]).Take(rows.Length - counts[given][given]));
        }

        return chosen;
    }

    // [true][given]: the joint with at least one correct row a class, taken off the other counts of its column.
    private int[][] PruneCounts()
    {
        var counts = Square();
        for (var given = 0; given < ClassCount; given++)
        {
            var column = Joint[given];
            var missing = Math.Max(column[given], FewestExamples) - column[given];
            var share = missing / Math.Max(column.Count(n => n != 0) - 1.0, 1.0);
            for (var real = 0; real < ClassCount; real++)
            {
                counts[real][given] = real == given ? column[given] + missing : (int)Math.Max(column[real] - share, 0);
            }
        }

        return counts;
    }

    private IEnumerable<(int Given, int[] Rows)> RowsByClass() =>
        Enumerable.Range(0, _labels.Length).GroupBy(i => _labels[i]).Select(g => (g.Key, g.ToArray())).Where(g => g.Item2.Length > FewestExamples);

    private bool IsLikeliest(int row)
    {
        var probabilities = _probabilities[row].ToArray();
        probabilities[_labels[row]] += Tolerance;
        return ArgMax(probabilities) == _labels[row];
    }

    private int[][] Square() => [.. Enumerable.Range(0, ClassCount).Select(_ => new int[ClassCount])];

    private static void Mark(bool[] chosen, IEnumerable<int> rows)
    {
        foreach (var row in rows)
        {
            chosen[row] = true;
        }
    }

    private static int ArgMax(double[] values)
    {
        var best = 0;
        for (var k = 1; k < values.Length; k++)
        {
            best = values[k] > values[best] ? k : best;
        }

        return best;
    }

    // Rounds half to even, then moves the entries that rounding moved most until the sum is the rounded sum.
    private static int[] RoundPreservingSum(double[] values)
    {
        var rounded = values.Select(x => (int)Math.Round(x)).ToArray();
        var target = (int)Math.Round(values.Sum());
        while (rounded.Sum() != target)
        {
            var missing = target - rounded.Sum();
            var order = Order([.. values.Select((x, i) => x - rounded[i])]);
            foreach (var i in (missing > 0 ? order.Reverse() : order).Take(Math.Abs(missing)))
            {
                rounded[i] += Math.Sign(missing);
            }
        }

        return rounded;
    }

    // Classes with as many rows in the joint round alike, so ties decide: up to eight values are left as numpy's sorting network of eight lanes
    // leaves them, of more the earlier class comes first.
    private static int[] Order(double[] values)
    {
        if (values.Length > Lanes)
        {
            return [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i])];
        }

        var order = Enumerable.Range(0, Lanes).ToArray();
        foreach (var (low, high) in SortingNetwork)
        {
            if (Key(order[low]) > Key(order[high]))
            {
                (order[low], order[high]) = (order[high], order[low]);
            }
        }

        return order[..values.Length];

        double Key(int lane) => lane < values.Length ? values[lane] : double.PositiveInfinity;
    }

    private static int CheckedClassCount(int[] labels, double[][] probabilities)
    {
        if (labels.Length != probabilities.Length || labels.Length == 0)
        {
            throw new ArgumentException(Invariant($"Expected one row of probabilities for each label, got {probabilities.Length} for {labels.Length} labels."), nameof(probabilities));
        }

        var classes = probabilities[0].Length;
        if (classes < 2 || probabilities.Any(row => row.Length != classes))
        {
            throw new ArgumentException("Expected the same number of probabilities in each row, two at least.", nameof(probabilities));
        }

        return labels.All(label => label >= 0 && label < classes)
            ? classes
            : throw new ArgumentException($"A label is outside of 0 to {classes - 1}.", nameof(labels));
    }
}
