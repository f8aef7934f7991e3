using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Vizsla.Primitives;

namespace Vizsla.Analysis;

/// <summary>How features are laid out in the plane.</summary>
public sealed record PlaneMapOptions
{
    /// <summary>How many neighbors a row is kept near to, about; above 1, at most a third of the other rows. Default 30.</summary>
    public double Perplexity { get; init; } = 30;

    /// <summary>Steps of gradient descent, 250 of them exaggerated; 251 or more. Default 1,000.</summary>
    public int Iterations { get; init; } = 1000;

    /// <summary>Seed of the first directions of the start. Default 0.</summary>
    public ulong Seed { get; init; }
}

/// <summary>Features laid out in the plane, so that rows that are alike lie together.</summary>
/// <remarks>
/// Source: van der Maaten and Hinton, "Visualizing Data using t-SNE" (2008), with the settings of scikit-learn <c>TSNE(init="pca", learning_rate="auto")</c>; attraction between
/// the nearest 3 * perplexity rows, repulsion between all pairs, exactly.
/// </remarks>
public static class PlaneMap
{
    private const int ExaggeratedIterations = 250;
    private const float Exaggeration = 12;
    private const float SmallestGain = 0.01f;
    private const float StartDeviation = 1e-4f;
    private const double SmallestRate = 50;
    private const int SearchSteps = 100;
    private const double EntropyTolerance = 1e-5;

    /// <summary>Lays out rows.</summary>
    /// <param name="features">Features, [N][D], N at least 4; Euclidean distances.</param>
    /// <param name="options">Perplexity, steps and seed; null takes the defaults. A perplexity that the rows do not allow becomes a third of them.</param>
    /// <param name="cancellationToken">Looked at in each step.</param>
    /// <returns>[N], centered on the origin.</returns>
    /// <exception cref="ArgumentException">There are fewer than four rows, or their lengths differ.</exception>
    public static Vector2[] Layout(IReadOnlyList<float[]> features, PlaneMapOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        options ??= new PlaneMapOptions();
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.Perplexity, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.Iterations, ExaggeratedIterations, nameof(options));
        if (features.Count < 4)
        {
            throw new ArgumentException(Invariant($"A map needs four rows at least, got {features.Count}."), nameof(features));
        }

        var perplexity = Math.Min(options.Perplexity, (features.Count - 1) / 3.0);
        var neighbors = Neighbors.Find(features, Math.Min(features.Count - 1, (int)((3 * perplexity) + 1)), euclidean: true);
        var attraction = Joint(neighbors, perplexity);
        var state = new Descent(Principal(features, options.Seed), attraction);
        for (var i = 0; i < options.Iterations; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var early = i < ExaggeratedIterations;
            state.Step(early ? Exaggeration : 1, early ? 0.5f : 0.8f, (float)Math.Max(features.Count / Exaggeration / 4, SmallestRate));
        }

        return state.Positions();
    }

    /// <summary>How far the nearest rows of the layout are the nearest of the features, 0 to 1; 1 where no stranger lies among them.</summary>
    /// <param name="features">Features, [N][D].</param>
    /// <param name="layout">Their places, [N].</param>
    /// <param name="neighborCount">Nearest rows that count, 1 to below half of the rows.</param>
    /// <remarks>Source: scikit-learn <c>trustworthiness</c>.</remarks>
    public static double Trustworthiness(IReadOnlyList<float[]> features, IReadOnlyList<Vector2> layout, int neighborCount = 12)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighborCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(2 * neighborCount, features.Count, nameof(neighborCount));
        var real = Neighbors.Find(features, features.Count - 1, euclidean: true);
        var shown = Neighbors.Find([.. layout.Select(p => new[] { p.X, p.Y })], neighborCount, euclidean: true);
        double penalty = 0;
        for (var i = 0; i < shown.Length; i++)
        {
            var rank = new int[features.Count];
            for (var r = 0; r < real[i].Length; r++)
            {
                rank[real[i][r].Row] = r + 1;
            }

            penalty += shown[i].Sum(n => Math.Max(0, rank[n.Row] - neighborCount));
        }

        double count = features.Count;
        return 1 - (penalty * 2 / (count * neighborCount * ((2 * count) - (3.0 * neighborCount) - 1)));
    }

    // P[i, j] over the nearest rows, symmetric, its sum 1; by row.
    private static (int Row, float Weight)[][] Joint(Neighbor[][] neighbors, double perplexity)
    {
        var sums = new Dictionary<int, double>[neighbors.Length];
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] = [];
        }

        for (var i = 0; i < neighbors.Length; i++)
        {
            var weights = Conditional([.. neighbors[i].Select(n => n.Distance * n.Distance)], perplexity);
            for (var k = 0; k < weights.Length; k++)
            {
                var (other, half) = (neighbors[i][k].Row, weights[k] / (2.0 * neighbors.Length));
                sums[i][other] = sums[i].GetValueOrDefault(other) + half;
                sums[other][i] = sums[other].GetValueOrDefault(i) + half;
            }
        }

        return [.. sums.Select(row => row.Select(pair => (pair.Key, (float)pair.Value)).ToArray())];
    }

    // The precision at which the weights of a row's neighbors have the asked perplexity.
    private static double[] Conditional(double[] squared, double perplexity)
    {
        var (low, high, precision) = (0.0, double.PositiveInfinity, 1.0 / Math.Max(squared.Average(), 1e-12));
        var weights = new double[squared.Length];
        for (var step = 0; step < SearchSteps; step++)
        {
            double sum = 0, weighted = 0;
            for (var k = 0; k < weights.Length; k++)
            {
                weights[k] = Math.Exp(-(squared[k] - squared[0]) * precision);
                sum += weights[k];
                weighted += weights[k] * (squared[k] - squared[0]);
            }

            TensorPrimitives.Divide(weights, sum, weights);
            var excess = Math.Log(sum) + (precision * weighted / sum) - Math.Log(perplexity);
            if (Math.Abs(excess) < EntropyTolerance)
            {
                break;
            }

            (low, high) = excess > 0 ? (precision, high) : (low, precision);
            precision = double.IsPositiveInfinity(high) ? precision * 2 : (low + high) / 2;
        }

        return weights;
    }

    // The first two principal components by power iteration; the first has the deviation that the descent starts from.
    private static (float[] X, float[] Y) Principal(IReadOnlyList<float[]> features, ulong seed)
    {
        var width = features[0].Length;
        var mean = new float[width];
        foreach (var row in features)
        {
            TensorPrimitives.Add(mean, row, mean);
        }

        TensorPrimitives.Divide(mean, features.Count, mean);
        var centered = features.Select(row =>
        {
            var copy = new float[width];
            TensorPrimitives.Subtract(row, mean, copy);
            return copy;
        }).ToArray();
        var rng = new Rng(seed);
        var found = new List<float[]>();
        var scores = new float[2][];
        for (var component = 0; component < scores.Length; component++)
        {
            var direction = Enumerable.Range(0, width).Select(_ => (float)(rng.NextDouble() - 0.5)).ToArray();
            for (var step = 0; step < SearchSteps; step++)
            {
                var next = new float[width];
                foreach (var row in centered)
                {
                    TensorPrimitives.MultiplyAdd(row, TensorPrimitives.Dot(row, direction), next, next);
                }

                found.ForEach(other => TensorPrimitives.MultiplyAdd(other, -TensorPrimitives.Dot(other, next), next, next));
                var norm = TensorPrimitives.Norm<float>(next);
                TensorPrimitives.Divide(next, norm > 0 ? norm : 1, direction);
            }

            found.Add(direction);
            scores[component] = [.. centered.Select(row => TensorPrimitives.Dot(row, direction))];
        }

        var deviation = Math.Sqrt(scores[0].Average(s => (double)s * s));
        var scale = deviation > 0 ? (float)(StartDeviation / deviation) : 1;
        Array.ForEach(scores, s => TensorPrimitives.Multiply(s, scale, s));
        return (scores[0], scores[1]);
    }

    private sealed class Descent((float[] X, float[] Y) start, (int Row, float Weight)[][] attraction)
    {
        private readonly float[] _x = start.X;
        private readonly float[] _y = start.Y;
        private readonly float[][] _velocity = [new float[start.X.Length], new float[start.X.Length]];
        private readonly float[][] _gain = [[.. start.X.Select(_ => 1f)], [.. start.X.Select(_ => 1f)]];
        private readonly float[][] _repulsion = [new float[start.X.Length], new float[start.X.Length]];
        private readonly double[] _mass = new double[start.X.Length];

        public void Step(float exaggeration, float momentum, float rate)
        {
            Parallel.For(0, _x.Length, Repel);
            var total = (float)Math.Max(_mass.Sum(), double.Epsilon);
            Parallel.For(0, _x.Length, i =>
            {
                float pullX = 0, pullY = 0;
                foreach (var (j, weight) in attraction[i])
                {
                    var (dx, dy) = (_x[i] - _x[j], _y[i] - _y[j]);
                    var force = exaggeration * weight / (1 + (dx * dx) + (dy * dy));
                    pullX += force * dx;
                    pullY += force * dy;
                }

                Accelerate(0, i, 4 * (pullX - (_repulsion[0][i] / total)));
                Accelerate(1, i, 4 * (pullY - (_repulsion[1][i] / total)));
            });
            Move(_x, _velocity[0]);
            Move(_y, _velocity[1]);

            void Accelerate(int axis, int i, float gradient)
            {
                ref var gain = ref _gain[axis][i];
                ref var velocity = ref _velocity[axis][i];
                gain = gradient * velocity < 0 ? gain + 0.2f : Math.Max(gain * 0.8f, SmallestGain);
                velocity = (momentum * velocity) - (rate * gain * gradient);
            }
        }

        public Vector2[] Positions() => [.. _x.Zip(_y, (x, y) => new Vector2(x, y))];

        private static void Move(float[] places, float[] velocity)
        {
            TensorPrimitives.Add(places, velocity, places);
            TensorPrimitives.Subtract(places, TensorPrimitives.Sum<float>(places) / places.Length, places);
        }

        // The sums of q = 1 / (1 + d^2), without the row itself, and of q^2 times the distance.
        private void Repel(int i)
        {
            var (ownX, ownY) = (_x[i], _y[i]);
            var (vectorX, vectorY) = (new Vector<float>(ownX), new Vector<float>(ownY));
            var (mass, sumX, sumY) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
            ReadOnlySpan<Vector<float>> xs = MemoryMarshal.Cast<float, Vector<float>>(_x);
            ReadOnlySpan<Vector<float>> ys = MemoryMarshal.Cast<float, Vector<float>>(_y);
            for (var v = 0; v < xs.Length; v++)
            {
                var (dx, dy) = (vectorX - xs[v], vectorY - ys[v]);
                var q = Vector<float>.One / (Vector<float>.One + (dx * dx) + (dy * dy));
                mass += q;
                q *= q;
                sumX += q * dx;
                sumY += q * dy;
            }

            var (allMass, allX, allY) = ((double)Vector.Sum(mass), Vector.Sum(sumX), Vector.Sum(sumY));
            for (var j = xs.Length * Vector<float>.Count; j < _x.Length; j++)
            {
                var (dx, dy) = (ownX - _x[j], ownY - _y[j]);
                var q = 1 / (1 + (dx * dx) + (dy * dy));
                allMass += q;
                allX += q * q * dx;
                allY += q * q * dy;
            }

            (_mass[i], _repulsion[0][i], _repulsion[1][i]) = (allMass - 1, allX, allY);
        }
    }
}
