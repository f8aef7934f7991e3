using System.Numerics.Tensors;

namespace Vizsla.Analysis;

/// <summary>Two classes that are often labelled as each other.</summary>
/// <param name="ClassA">The class with the smaller number.</param>
/// <param name="ClassB">The other class.</param>
/// <param name="Examples">Estimated rows of either that carry the label of the other.</param>
/// <param name="JointProbability">The same as a share of all rows, 0 to 1.</param>
public readonly record struct ClassOverlap(int ClassA, int ClassB, int Examples, double JointProbability);

/// <summary>How well a class is labelled.</summary>
/// <param name="ClassIndex">Number of the class.</param>
/// <param name="LabelIssues">Estimated rows that carry this label and belong elsewhere.</param>
/// <param name="InverseLabelIssues">Estimated rows that belong here and carry another label.</param>
/// <param name="LabelNoise">Share of the rows with this label that belong elsewhere, 0 to 1.</param>
/// <param name="InverseLabelNoise">Share of the rows that belong here and carry another label, 0 to 1.</param>
/// <param name="Quality">1 - <paramref name="LabelNoise"/>.</param>
public readonly record struct ClassQuality(int ClassIndex, int LabelIssues, int InverseLabelIssues, double LabelNoise, double InverseLabelNoise, double Quality);

/// <summary>Which classes overlap, how well each is labelled, and which rows are like no other.</summary>
/// <remarks>Source: cleanlab <c>find_overlapping_classes</c>, <c>rank_classes_by_label_quality</c>, <c>OutOfDistribution</c>. Parity: 1e-9; outliers 1e-6, where cleanlab computes in single precision.</remarks>
public static class LabelHealth
{
    private const double Epsilon = 1e-6;
    private const int NeighborCount = 10;
    private const int CosineFromDimension = 4;
    private const double SingleDistance = 100 * 2.220446049250313e-16;

    /// <summary>Pairs of classes, those with the most rows in common first.</summary>
    /// <param name="issues">The estimated joint of labels.</param>
    public static IReadOnlyList<ClassOverlap> OverlappingClasses(LabelIssues issues)
    {
        ArgumentNullException.ThrowIfNull(issues);
        var joint = issues.Joint;
        double total = joint.Sum(row => row.Sum());
        var rows = joint.Sum(row => row.Sum());
        return [.. from a in Enumerable.Range(0, issues.ClassCount)
                   from b in Enumerable.Range(a + 1, issues.ClassCount - a - 1)
                   let probability = (joint[a][b] / total) + (joint[b][a] / total)
                   orderby probability descending
                   select new ClassOverlap(a, b, (int)Math.Round(probability * rows), probability)];
    }

    /// <summary>The quality of each class, the worst first.</summary>
    /// <param name="issues">The estimated joint of labels.</param>
    public static IReadOnlyList<ClassQuality> ClassQualities(LabelIssues issues)
    {
        ArgumentNullException.ThrowIfNull(issues);
        var rows = issues.Joint.Sum(row => row.Sum());
        var joint = issues.Joint.Select(row => row.Select(n => n / (double)rows).ToArray()).ToArray();
        return [.. Enumerable.Range(0, issues.ClassCount).Select(Quality).OrderBy(c => c.Quality)];

        ClassQuality Quality(int k)
        {
            var (given, real) = (joint[k].Sum(), joint.Sum(row => row[k]));
            var (noise, inverse) = (given - joint[k][k], real - joint[k][k]);
            var (share, inverseShare) = (noise / Math.Max(given, Epsilon), inverse / Math.Max(real, Epsilon));
            return new ClassQuality(k, (int)Math.Round(noise * rows), (int)Math.Round(inverse * rows), share, inverseShare, 1 - share);
        }
    }

    /// <summary>How much each row is like its ten nearest neighbors.</summary>
    /// <param name="features">Features, [N][D], N at least 2; cosine distance, Euclidean below four dimensions.</param>
    /// <returns>exp(-mean distance / median of the mean distances), [N], 0 to 1; low is an outlier.</returns>
    /// <exception cref="ArgumentException">There are fewer than two rows, or their lengths differ.</exception>
    public static double[] OutlierScores(IReadOnlyList<float[]> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        var neighbors = Neighbors.Find(features, NeighborCount, features.Count > 0 && features[0].Length < CosineFromDimension);
        var means = neighbors.Select(row => row.Average(n => n.Distance)).ToArray();
        var scale = Math.Max(Median(means), SingleDistance);
        var exact = features[0].Length < CosineFromDimension ? Math.Sqrt(SingleDistance) : SingleDistance / 2;
        return [.. means.Select(mean => mean < exact ? 1 : Math.Exp(-mean / Math.Max(scale, Epsilon)))];
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>A row near another one.</summary>
/// <param name="Row">Its number, from 0.</param>
/// <param name="Distance">Cosine distance 0 to 2, or Euclidean distance.</param>
public readonly record struct Neighbor(int Row, double Distance);

/// <summary>Nearest rows in feature space, by comparing all pairs.</summary>
public static class Neighbors
{
    /// <summary>The nearest other rows of each row, the nearest first.</summary>
    /// <param name="features">Features, [N][D].</param>
    /// <param name="count">Neighbors of a row, 1 at least; N - 1 where there are fewer.</param>
    /// <param name="euclidean">Euclidean distance in place of cosine distance.</param>
    /// <returns>[N][min(count, N - 1)].</returns>
    /// <exception cref="ArgumentException">There are fewer than two rows, or their lengths differ.</exception>
    public static Neighbor[][] Find(IReadOnlyList<float[]> features, int count, bool euclidean = false)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (features.Count < 2 || features.Any(row => row.Length != features[0].Length))
        {
            throw new ArgumentException(Invariant($"Expected at least two rows of the same length, got {features.Count}."), nameof(features));
        }

        var rows = features.Select(row => Prepared(row, euclidean)).ToArray();
        var result = new Neighbor[rows.Length][];
        Parallel.For(0, rows.Length, i => result[i] = Nearest(Distances(rows, rows[i], euclidean), i, count));
        return result;
    }

    /// <summary>The rows nearest to a given one, the nearest first.</summary>
    /// <param name="features">Features, [N][D].</param>
    /// <param name="query">Features of the row to compare with, [D].</param>
    /// <param name="count">Neighbors, 1 at least.</param>
    /// <returns>[min(count, N)], by cosine distance.</returns>
    public static Neighbor[] Of(IReadOnlyList<float[]> features, float[] query, int count)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(query);
        return Nearest(Distances([.. features.Select(row => Prepared(row, false))], Prepared(query, false), false), -1, count);
    }

    private static double[] Distances(double[][] rows, double[] from, bool euclidean) =>
        [.. rows.Select(row => euclidean
            ? TensorPrimitives.Distance<double>(row, from)
            : row.AsSpan().SequenceEqual(from) ? 0 : Math.Max(0, 1 - TensorPrimitives.Dot<double>(row, from)))];

    private static Neighbor[] Nearest(double[] distances, int self, int count)
    {
        var order = Enumerable.Range(0, distances.Length).ToArray();
        Array.Sort(distances.ToArray(), order);
        return [.. order.Where(row => row != self).Take(count).Select(row => new Neighbor(row, distances[row]))];
    }

    private static double[] Prepared(float[] row, bool euclidean)
    {
        var copy = new double[row.Length];
        TensorPrimitives.ConvertTruncating<float, double>(row, copy);
        var norm = TensorPrimitives.Norm<double>(copy);
        if (!euclidean && norm > 0)
        {
            TensorPrimitives.Divide(copy, norm, copy);
        }

        return copy;
    }
}
