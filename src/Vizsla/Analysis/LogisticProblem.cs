using System.Numerics.Tensors;
using TorchSharp;
using Vizsla.Native;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Vizsla.Analysis;

// N rows, D features, K classes, R rank of the features (at most min(N, D)).

/// <summary>Rows in the coordinates of their principal directions: with more features than rows the optimum lies in the span of the rows, and R coordinates say the same as D features.</summary>
internal sealed class FeatureSpan : IDisposable
{
    // Of the largest eigenvalue; what is below is rounding.
    private const double Dependent = 1e-13;

    private readonly Tensor _coordinates;
    private readonly Tensor _directions;
    private readonly Tensor _lengths;

    public FeatureSpan(IReadOnlyList<double[]> features)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var rows = Values(features);
        if (features.Count < features[0].Length)
        {
            var (values, vectors) = linalg.eigh(rows.mm(rows.t()));
            var kept = (values > values.max().Times(Dependent)).nonzero().flatten();
            (values, vectors) = (values.index_select(0, kept), vectors.index_select(1, kept));
            _coordinates = vectors * values.sqrt();
            _directions = (vectors / values.sqrt()).t().mm(rows);
            _lengths = values;
        }
        else
        {
            var (values, vectors) = linalg.eigh(rows.t().mm(rows));
            _coordinates = rows.mm(vectors);
            _directions = vectors.t().contiguous();
            _lengths = values.relu();
        }

        _ = (_coordinates.MoveToOuterDisposeScope(), _directions.MoveToOuterDisposeScope(), _lengths.MoveToOuterDisposeScope());
    }

    /// <summary>Coordinates, [N, R].</summary>
    public Tensor Coordinates => _coordinates;

    /// <summary>Squared length of all rows along each direction, [R].</summary>
    public Tensor SquaredLengths => _lengths;

    /// <summary>Weights of the features and intercepts, of weights of the coordinates, [K][R + 1].</summary>
    public (double[][] Weights, double[] Intercepts) Lift(double[] values, int classCount)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var all = tensor(values, [classCount, values.Length / classCount]);
        var width = _coordinates.shape[1];
        return (Rows(all.narrow(1, 0, width).mm(_directions)), all.select(1, width).data<double>().ToArray());
    }

    /// <summary>Logits of rows, [rows][K].</summary>
    public double[][] Logits(double[] values, int classCount, long[] rows)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var all = tensor(values, [classCount, values.Length / classCount]);
        var width = _coordinates.shape[1];
        return Rows(_coordinates.index_select(0, tensor(rows)).mm(all.narrow(1, 0, width).t()).Plus(all.select(1, width)));
    }

    public void Dispose()
    {
        _coordinates.Dispose();
        _directions.Dispose();
        _lengths.Dispose();
    }

    private static Tensor Values(IReadOnlyList<double[]> rows)
    {
        var values = empty(rows.Count, rows[0].Length, dtype: ScalarType.Float64);
        for (var i = 0; i < rows.Count; i++)
        {
            using var row = tensor(rows[i]);
            using var place = values[i];
            place.copy_(row);
        }

        return values;
    }

    private static double[][] Rows(Tensor values) => [.. values.contiguous().data<double>().ToArray().Chunk((int)values.shape[1])];
}

/// <summary>The weights that minimize C * sum of cross-entropies + half their squared norm: L-BFGS with backtracking on a convex problem.</summary>
/// <remarks>Each direction is measured in units of the curvature that it has at the start, so that directions of long and of short rows take equally many steps.</remarks>
internal sealed class LogisticProblem : IDisposable
{
    private const double GradientTolerance = 1e-9;
    private const int MaxIterations = 2000;
    private const int Memory = 10;

    // Near the optimum a step's gain is below the rounding of the objective.
    private const double Rounding = 1e-12;

    private readonly int _classCount;
    private readonly double _c;
    private readonly double[] _units;
    private readonly Tensor _rows;
    private readonly Tensor _targets;
    private readonly Tensor _shrinking;

    /// <param name="span">The rows.</param>
    /// <param name="labels">Class of each row, [N].</param>
    /// <param name="classCount">Number of classes, K.</param>
    /// <param name="c">Weight of the losses.</param>
    /// <param name="seen">Rows that count; null for all.</param>
    public LogisticProblem(FeatureSpan span, IReadOnlyList<int> labels, int classCount, double c, long[]? seen = null)
    {
        (_classCount, _c) = (classCount, c);
        long[] rows = seen ?? [.. Enumerable.Range(0, labels.Count).Select(row => (long)row)];
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var curvature = c / classCount;
        var units = cat([span.SquaredLengths.Times(curvature).Plus(1.0).sqrt(), tensor([Math.Sqrt(curvature * rows.Length)])]);
        var coordinates = span.Coordinates.index_select(0, tensor(rows));
        _units = units.data<double>().ToArray();
        _rows = (cat([coordinates, ones(rows.Length, 1, dtype: ScalarType.Float64)], 1) / units).MoveToOuterDisposeScope();
        _targets = nn.functional.one_hot(tensor(rows.Select(row => (long)labels[(int)row]).ToArray()), classCount).to(ScalarType.Float64).MoveToOuterDisposeScope();
        _shrinking = units.mul(units).reciprocal();
        _shrinking[-1] = zeros([], dtype: ScalarType.Float64);
        _shrinking.MoveToOuterDisposeScope();
    }

    /// <summary>Solves the problem.</summary>
    /// <param name="start">Weights of the coordinates and intercepts to begin with, [K][R + 1]; null for zeros.</param>
    /// <param name="cancellationToken">Looked at in each iteration.</param>
    /// <param name="gap">How far from its minimum, as a share of it, the objective may be; null goes on until no gradient is left.</param>
    /// <returns>Weights of the coordinates and intercepts, [K][R + 1], and the objective.</returns>
    public (double[] Values, double Objective) Solve(double[]? start, CancellationToken cancellationToken, double? gap = null)
    {
        var values = new double[_classCount * _units.Length];
        ForEachClass(values, start ?? values, TensorPrimitives.Multiply);
        var gradient = new double[values.Length];
        var objective = Evaluate(values, gradient);
        var pairs = new LinkedList<(double[] Step, double[] Change, double Curvature)>();
        for (var iteration = 0; iteration < MaxIterations && !IsSolved(gradient, objective, gap); iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
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

        ForEachClass(values, values, TensorPrimitives.Divide);
        return (values, objective);
    }

    public void Dispose()
    {
        _rows.Dispose();
        _targets.Dispose();
        _shrinking.Dispose();
    }

    // In these units the curvature is about that of a circle, and half the squared gradient about what is still to be gained.
    private bool IsSolved(double[] gradient, double objective, double? gap)
    {
        if (gap is { } share)
        {
            return TensorPrimitives.SumOfSquares<double>(gradient) / 2 <= share * objective;
        }

        var own = new double[gradient.Length];
        ForEachClass(own, gradient, TensorPrimitives.Multiply);
        return Math.Abs(TensorPrimitives.MaxMagnitude<double>(own)) <= GradientTolerance * Math.Max(1, _c);
    }

    private delegate void InUnits(ReadOnlySpan<double> values, ReadOnlySpan<double> units, Span<double> result);

    private void ForEachClass(double[] result, double[] values, InUnits change)
    {
        for (var at = 0; at < values.Length; at += _units.Length)
        {
            change(values.AsSpan(at, _units.Length), _units, result.AsSpan(at, _units.Length));
        }
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
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var weights = tensor(values, [_classCount, _units.Length]);
        var logits = _rows.mm(weights.t());
        var logProbabilities = nn.functional.log_softmax(logits, 1);
        var loss = (logProbabilities * _targets).sum();
        var pulled = weights * _shrinking;
        var change = logProbabilities.exp().sub(_targets).t().mm(_rows).Times(_c).Plus(pulled);
        change.data<double>().CopyTo(gradient);
        return (-_c * loss.item<double>()) + ((weights * pulled).sum().item<double>() / 2);
    }
}
