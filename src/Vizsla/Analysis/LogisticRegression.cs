using System.Numerics.Tensors;

namespace Vizsla.Analysis;

// N rows, D features, K classes, R rank of the features (at most min(N, D)).

/// <summary>Multinomial logistic regression, solved to its optimum.</summary>
/// <remarks>
/// Minimizes C * sum of cross-entropies + half the squared norm of the weights; the intercepts are free.
/// Source: scikit-learn <c>LogisticRegression</c>. Parity: weights 1e-5, probabilities 1e-6.
/// </remarks>
public sealed class LogisticRegression
{
    private const double GradientTolerance = 1e-9;
    private const int MaxIterations = 2000;
    private const int Memory = 20;

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
        var span = RowSpan.Of(features);
        var solution = new Problem(span.Coordinates, labels, classCount, c).Solve(start: null, cancellationToken);
        return span.Lift(solution, classCount);
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

    /// <summary>Logits of each row by a fit that did not see the row's fold.</summary>
    /// <param name="features">Features, [N][D].</param>
    /// <param name="labels">Class of each row, [N].</param>
    /// <param name="classCount">Number of classes, K.</param>
    /// <param name="candidates">Constants, above 0.</param>
    /// <param name="folds">Fold of each row, [N], from 0.</param>
    /// <param name="cancellationToken">Looked at in each iteration.</param>
    /// <param name="tolerance">Largest gradient of an optimum, for a C of 1; a search needs fewer digits than a solution.</param>
    /// <returns>[candidates][N][K].</returns>
    internal static double[][][] OutOfFold(
        IReadOnlyList<double[]> features, IReadOnlyList<int> labels, int classCount, IReadOnlyList<double> candidates, IReadOnlyList<int> folds,
        CancellationToken cancellationToken, double tolerance = GradientTolerance)
    {
        Check(features, labels, classCount);
        var rows = RowSpan.Of(features).Coordinates;
        double[][][] logits = [.. candidates.Select(_ => new double[rows.Length][])];
        Parallel.For(0, folds.Max() + 1, new ParallelOptions { CancellationToken = cancellationToken }, fold =>
        {
            int[] training = [.. Enumerable.Range(0, rows.Length).Where(i => folds[i] != fold)];
            double[]? start = null;
            for (var i = 0; i < candidates.Count; i++)
            {
                var problem = new Problem([.. training.Select(r => rows[r])], [.. training.Select(r => labels[r])], classCount, candidates[i]);
                (start, _) = problem.Solve(start, cancellationToken, tolerance);
                foreach (var row in Enumerable.Range(0, rows.Length).Where(r => folds[r] == fold))
                {
                    logits[i][row] = Logits(start, rows[row], classCount);
                }
            }
        });
        return logits;
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

    private static double[] Logits(double[] solution, double[] row, int classCount)
    {
        var stride = row.Length + 1;
        var logits = new double[classCount];
        for (var k = 0; k < classCount; k++)
        {
            logits[k] = TensorPrimitives.Dot(solution.AsSpan(k * stride, row.Length), row) + solution[(k * stride) + row.Length];
        }

        return logits;
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

    // With more features than rows the optimum lies in the span of the rows: R coordinates in an orthonormal basis say the same as D features.
    private sealed class RowSpan
    {
        private readonly List<double[]>? _basis;

        private RowSpan(double[][] coordinates, List<double[]>? basis)
        {
            Coordinates = coordinates;
            _basis = basis;
        }

        public double[][] Coordinates { get; }

        public static RowSpan Of(IReadOnlyList<double[]> features)
        {
            if (features.Count >= features[0].Length)
            {
                return new RowSpan([.. features], null);
            }

            // Gram and Schmidt, each row twice, since once loses orthogonality.
            const double Dependent = 1e-10;
            var basis = new List<double[]>();
            foreach (var row in features)
            {
                var rest = row.ToArray();
                for (var pass = 0; pass < 2; pass++)
                {
                    foreach (var direction in basis)
                    {
                        TensorPrimitives.MultiplyAdd(direction, -TensorPrimitives.Dot<double>(direction, rest), rest, rest);
                    }
                }

                var norm = TensorPrimitives.Norm<double>(rest);
                if (norm > Dependent * TensorPrimitives.Norm<double>(row))
                {
                    TensorPrimitives.Divide(rest, norm, rest);
                    basis.Add(rest);
                }
            }

            return new RowSpan([.. features.Select(row => basis.Select(direction => TensorPrimitives.Dot<double>(direction, row)).ToArray())], basis);
        }

        public LogisticRegression Lift((double[] Values, double Objective) solution, int classCount)
        {
            var width = Coordinates[0].Length;
            var weights = new double[classCount][];
            var intercepts = new double[classCount];
            for (var k = 0; k < classCount; k++)
            {
                var own = solution.Values.AsSpan(k * (width + 1), width);
                intercepts[k] = solution.Values[(k * (width + 1)) + width];
                weights[k] = own.ToArray();
                if (_basis is not null)
                {
                    weights[k] = new double[_basis.Count == 0 ? 0 : _basis[0].Length];
                    for (var r = 0; r < width; r++)
                    {
                        TensorPrimitives.MultiplyAdd(_basis[r], own[r], weights[k], weights[k]);
                    }
                }
            }

            return new LogisticRegression(weights, intercepts, solution.Objective);
        }
    }

    // Values are [K][R + 1]: weights, then the intercept. L-BFGS with backtracking; the problem is convex.
    private sealed class Problem(double[][] rows, IReadOnlyList<int> labels, int classCount, double c)
    {
        // Near the optimum a step's gain is below the rounding of the objective.
        private const double Rounding = 1e-12;

        private readonly int _width = rows[0].Length;

        public (double[] Values, double Objective) Solve(double[]? start, CancellationToken cancellationToken, double tolerance = GradientTolerance)
        {
            var values = start?.ToArray() ?? new double[classCount * (_width + 1)];
            var gradient = new double[values.Length];
            var objective = Evaluate(values, gradient);
            var pairs = new LinkedList<(double[] Step, double[] Change, double Curvature)>();
            for (var iteration = 0; iteration < MaxIterations && TensorPrimitives.MaxMagnitude<double>(gradient) is var largest; iteration++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Math.Abs(largest) <= tolerance * Math.Max(1, c))
                {
                    break;
                }

                var direction = Direction(gradient, pairs);
                var slope = TensorPrimitives.Dot<double>(direction, gradient);
                var length = pairs.Count == 0 ? Math.Min(1, 1 / TensorPrimitives.Norm<double>(gradient)) : 1;
                var (next, nextGradient) = (new double[values.Length], new double[values.Length]);
                double nextObjective;
                while (true)
                {
                    TensorPrimitives.MultiplyAdd(direction, length, values, next);
                    nextObjective = Evaluate(next, nextGradient);
                    if (nextObjective <= objective + (1e-4 * length * slope) + (Rounding * Math.Abs(objective)))
                    {
                        break;
                    }

                    length /= 2;
                }

                var (step, change) = (new double[values.Length], new double[values.Length]);
                TensorPrimitives.Subtract<double>(next, values, step);
                TensorPrimitives.Subtract<double>(nextGradient, gradient, change);
                if (TensorPrimitives.Dot<double>(step, change) is var curvature and > 0)
                {
                    pairs.AddLast((step, change, curvature));
                    if (pairs.Count > Memory)
                    {
                        pairs.RemoveFirst();
                    }
                }

                (values, gradient, objective) = (next, nextGradient, nextObjective);
            }

            return (values, objective);
        }

        private static double[] Direction(double[] gradient, LinkedList<(double[] Step, double[] Change, double Curvature)> pairs)
        {
            var direction = gradient.ToArray();
            TensorPrimitives.Negate<double>(direction, direction);
            var shares = new Stack<double>();
            for (var node = pairs.Last; node is not null; node = node.Previous)
            {
                var share = TensorPrimitives.Dot<double>(node.Value.Step, direction) / node.Value.Curvature;
                shares.Push(share);
                TensorPrimitives.MultiplyAdd(node.Value.Change, -share, direction, direction);
            }

            if (pairs.Last is { } last)
            {
                TensorPrimitives.Multiply(direction, last.Value.Curvature / TensorPrimitives.SumOfSquares<double>(last.Value.Change), direction);
            }

            for (var node = pairs.First; node is not null; node = node.Next)
            {
                var share = TensorPrimitives.Dot<double>(node.Value.Change, direction) / node.Value.Curvature;
                TensorPrimitives.MultiplyAdd(node.Value.Step, shares.Pop() - share, direction, direction);
            }

            return direction;
        }

        private double Evaluate(double[] values, double[] gradient)
        {
            gradient.AsSpan().Clear();
            double loss = 0;
            for (var i = 0; i < rows.Length; i++)
            {
                var probabilities = Softmax(Logits(values, rows[i], classCount));
                loss -= Math.Log(Math.Max(probabilities[labels[i]], double.Epsilon));
                probabilities[labels[i]] -= 1;
                for (var k = 0; k < classCount; k++)
                {
                    var own = gradient.AsSpan(k * (_width + 1), _width);
                    TensorPrimitives.MultiplyAdd(rows[i], c * probabilities[k], own, own);
                    gradient[(k * (_width + 1)) + _width] += c * probabilities[k];
                }
            }

            double norm = 0;
            for (var k = 0; k < classCount; k++)
            {
                ReadOnlySpan<double> weights = values.AsSpan(k * (_width + 1), _width);
                var own = gradient.AsSpan(k * (_width + 1), _width);
                norm += TensorPrimitives.SumOfSquares(weights);
                TensorPrimitives.Add<double>(own, weights, own);
            }

            return (c * loss) + (norm / 2);
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
