using System.Numerics.Tensors;

namespace Vizsla.Analysis;

// N rows, D features, K classes.

/// <summary>Multinomial logistic regression, solved to its optimum.</summary>
/// <remarks>
/// Minimizes C * sum of cross-entropies + half the squared norm of the weights; the intercepts are free.
/// Source: scikit-learn <c>LogisticRegression</c>. Parity: weights 1e-5, probabilities 1e-6.
/// </remarks>
public sealed class LogisticRegression
{
    private LogisticRegression(double[][] weights, double[] intercepts, double objective)
    {
        Weights = weights;
        Intercepts = intercepts;
        Objective = objective;
    }

    /// <summary>Weights, [K][D].</summary>
    public IReadOnlyList<double[]> Weights { get; }

    /// <summary>Intercepts, [K]; their sum is zero.</summary>
    public IReadOnlyList<double> Intercepts { get; }

    /// <summary>The minimized value.</summary>
    public double Objective { get; }

    /// <summary>Fits the weights.</summary>
    /// <param name="features">Features, [N][D], N at least 1.</param>
    /// <param name="labels">Class of each row, [N], 0 to <paramref name="classCount"/> - 1.</param>
    /// <param name="classCount">Number of classes, K, two at least.</param>
    /// <param name="c">Weight of the losses against the size of the weights, above 0.</param>
    /// <param name="cancellationToken">Looked at in each iteration.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a label is no class.</exception>
    public static LogisticRegression Fit(
        IReadOnlyList<double[]> features, IReadOnlyList<int> labels, int classCount, double c = 1, CancellationToken cancellationToken = default)
    {
        Check(features, labels, classCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(c);
        using var span = new FeatureSpan(features);
        using var problem = new LogisticProblem(span, labels, classCount, c);
        var (values, objective) = problem.Solve(start: null, cancellationToken);
        var (weights, intercepts) = span.Lift(values, classCount);
        return new LogisticRegression(weights, intercepts, objective);
    }

    /// <summary>The constant of the lowest mean log loss over stratified folds.</summary>
    /// <param name="features">Features, [N][D].</param>
    /// <param name="labels">Class of each row, [N].</param>
    /// <param name="classCount">Number of classes, K.</param>
    /// <param name="candidates">Constants to try, above 0; the first of equal ones is taken.</param>
    /// <param name="foldCount">Folds, 2 to the rows of the smallest class.</param>
    /// <param name="cancellationToken">Looked at in each iteration.</param>
    /// <returns>The constant, and the mean log loss of each candidate, in nats.</returns>
    /// <remarks>Source: scikit-learn <c>StratifiedKFold(n_splits)</c> without shuffling. Parity: log loss 1e-6.</remarks>
    public static (double Best, IReadOnlyList<double> LogLoss) CrossValidate(
        IReadOnlyList<double[]> features, IReadOnlyList<int> labels, int classCount, IReadOnlyList<double> candidates, int foldCount = 5,
        CancellationToken cancellationToken = default)
    {
        Check(features, labels, classCount);
        ArgumentNullException.ThrowIfNull(candidates);
        var folds = StratifiedFolds.Of(labels, foldCount);
        var held = OutOfFold(features, labels, classCount, candidates, folds, cancellationToken);
        double[] means = [.. held.Select(MeanLoss)];
        return (candidates[Array.IndexOf(means, means.Min())], means);

        // The mean of the folds' means, as scikit-learn takes it.
        double MeanLoss(double[][] logits) => Enumerable.Range(0, logits.Length).GroupBy(row => folds[row])
            .Average(fold => fold.Average(row => -Math.Log(Math.Max(Softmax(logits[row])[labels[row]], double.Epsilon))));
    }

    /// <summary>Logits of each row by a fit that did not see the row's fold, candidate by candidate as they are asked for.</summary>
    /// <param name="features">Features, [N][D].</param>
    /// <param name="labels">Class of each row, [N].</param>
    /// <param name="classCount">Number of classes, K.</param>
    /// <param name="candidates">Constants, above 0; each fit starts from that of the constant before it, so that rising ones are quickest.</param>
    /// <param name="folds">Fold of each row, [N], from 0.</param>
    /// <param name="cancellationToken">Looked at in each iteration.</param>
    /// <param name="gap">How far from its minimum, as a share of it, a fit may stop: a search needs fewer digits than a solution; null goes to the optimum.</param>
    /// <returns>[N][K] for each candidate.</returns>
    internal static IEnumerable<double[][]> OutOfFold(
        IReadOnlyList<double[]> features, IReadOnlyList<int> labels, int classCount, IReadOnlyList<double> candidates, IReadOnlyList<int> folds,
        CancellationToken cancellationToken, double? gap = null)
    {
        Check(features, labels, classCount);
        using var span = new FeatureSpan(features);
        var starts = new double[]?[folds.Max() + 1];
        foreach (var c in candidates)
        {
            var logits = new double[features.Count][];
            for (var fold = 0; fold < starts.Length; fold++)
            {
                var seen = Enumerable.Range(0, features.Count).ToLookup(row => folds[row] != fold);
                using var problem = new LogisticProblem(span, labels, classCount, c, [.. seen[true]]);
                (starts[fold], _) = problem.Solve(starts[fold], cancellationToken, gap);
                foreach (var (row, values) in seen[false].Zip(span.Logits(starts[fold]!, classCount, [.. seen[false]])))
                {
                    logits[row] = values;
                }
            }

            yield return logits;
        }
    }

    /// <summary>Probabilities of one row.</summary>
    /// <param name="features">Features, [D].</param>
    /// <returns>[K]; they sum to 1.</returns>
    public double[] Probabilities(double[] features)
    {
        return Softmax([.. Weights.Select((w, k) => TensorPrimitives.Dot<double>(w, features) + Intercepts[k])]);
    }

    // TensorPrimitives.SoftMax does not take the largest off first, and overflows where logits are large.
    internal static double[] Softmax(double[] logits)
    {
        var result = new double[logits.Length];
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max<double>(logits), result);
        TensorPrimitives.Exp<double>(result, result);
        TensorPrimitives.Divide(result, TensorPrimitives.Sum<double>(result), result);
        return result;
    }

    private static void Check(IReadOnlyList<double[]> features, IReadOnlyList<int> labels, int classCount)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfLessThan(classCount, 2);
        if (features.Count != labels.Count || features.Count == 0 || features.Any(row => row.Length != features[0].Length))
        {
            throw new ArgumentException(Invariant($"Expected rows of one length, one for each of {labels.Count} labels, got {features.Count}."), nameof(features));
        }

        if (labels.Any(label => label < 0 || label >= classCount))
        {
            throw new ArgumentException($"A label is outside of 0 to {classCount - 1}.", nameof(labels));
        }
    }
}

/// <summary>Folds that hold the same share of each class.</summary>
/// <remarks>Source: scikit-learn <c>StratifiedKFold(n_splits, shuffle=False)</c>. Parity: exact.</remarks>
internal static class StratifiedFolds
{
    /// <summary>The fold of each row, [N], 0 to <paramref name="foldCount"/> - 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than two folds, or a class has fewer rows than there are folds.</exception>
    public static int[] Of(IReadOnlyList<int> labels, int foldCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(foldCount, 2);

        // Classes are numbered by their first row; of the rows in that order each fold takes every foldCount-th.
        var classes = labels.Distinct().ToList();
        var smallest = classes.Min(c => labels.Count(l => l == c));
        if (smallest < foldCount)
        {
            throw new ArgumentOutOfRangeException(nameof(foldCount), foldCount, $"{foldCount} folds need {foldCount} rows of each class, the smallest has {smallest}.");
        }

        int[] sorted = [.. labels.Select(l => classes.IndexOf(l)).Order()];
        var quota = new int[foldCount, classes.Count];
        for (var i = 0; i < sorted.Length; i++)
        {
            quota[i % foldCount, sorted[i]]++;
        }

        var (folds, given) = (new int[labels.Count], new int[classes.Count]);
        for (var i = 0; i < labels.Count; i++)
        {
            var c = classes.IndexOf(labels[i]);
            var (fold, rank) = (0, given[c]++);
            while (rank >= quota[fold, c])
            {
                rank -= quota[fold++, c];
            }

            folds[i] = fold;
        }

        return folds;
    }
}
