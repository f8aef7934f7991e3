using System.Numerics.Tensors;
using Vizsla.Primitives;

namespace Vizsla.Analysis;

// N rows, D features, K classes.

/// <summary>How labels are reviewed.</summary>
public sealed record LabelReviewOptions
{
    /// <summary>Parts that the rows of each class are dealt to; each is judged by a classifier of the others. 2 or more, default 5.</summary>
    public int Folds { get; init; } = 5;

    /// <summary>Seed of the parts. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>A label whose calibrated probability is below this is suspicious, 0 to 1. Default 0.02.</summary>
    public double Threshold { get; init; } = 0.02;

    /// <summary>Rows nearest in feature space that give a second opinion, 1 or more. Default 10.</summary>
    public int NeighborCount { get; init; } = 10;

    /// <summary>A suspicious label stays where more than this share of the nearest rows carry it, 0 to 1. Default 0.2.</summary>
    public double NeighborShare { get; init; } = 0.2;
}

/// <summary>Two rows of different classes that look alike.</summary>
/// <param name="First">Number of the first row.</param>
/// <param name="Second">Number of the second row.</param>
/// <param name="Distance">Cosine distance of their features, 0 to 2.</param>
public readonly record struct LookalikePair(int First, int Second, double Distance);

/// <summary>Labels looked at with the features of a network that was not trained on them: which are probably wrong, and which rows are like no other.</summary>
/// <remarks>
/// Multinomial logistic regression over stratified folds gives each row the probabilities of a classifier that did not see it. Its constant is the one of the lowest
/// log loss; a temperature makes the probabilities mean what they say. The defaults were chosen with 5 % of the labels of 370 photos swapped, on other seeds than those reported.
/// </remarks>
public sealed class LabelReview
{
    // From strongly regularized to hardly; features are standardized.
    private static readonly double[] s_strengths = [1e-4, 1e-3, 1e-2, 1e-1];

    private readonly IReadOnlyList<int> _labels;
    private readonly Neighbor[][] _neighbors;
    private readonly LabelReviewOptions _options;

    private LabelReview(IReadOnlyList<float[]> features, float[][] standardized, IReadOnlyList<int> labels, double[][] probabilities, LabelReviewOptions options)
    {
        (_labels, _options, Probabilities) = (labels, options, probabilities);
        _neighbors = Neighbors.Find(standardized, options.NeighborCount);
        Agreement = [.. _neighbors.Select((row, i) => row.Count(n => labels[n.Row] == labels[i]) / (double)row.Length)];
        Outliers = LabelHealth.OutlierScores(features);
        Confident = new LabelIssues(labels, probabilities);
        var selfConfidence = Confident.SelfConfidence();
        Issues = [.. Enumerable.Range(0, labels.Count)
            .Where(i => selfConfidence[i] < options.Threshold && Agreement[i] <= options.NeighborShare && Likeliest(i) != labels[i])
            .OrderBy(i => selfConfidence[i])
            .Select(i => new LabelIssue(i, labels[i], Likeliest(i), selfConfidence[i]))];
    }

    /// <summary>Calibrated probabilities by a classifier that did not see the row, [N][K]; each row sums to 1.</summary>
    public IReadOnlyList<double[]> Probabilities { get; }

    /// <summary>Share of the nearest rows that carry the row's label, [N], 0 to 1.</summary>
    public IReadOnlyList<double> Agreement { get; }

    /// <summary>How much each row is like its nearest ones, [N], 0 to 1; low is an outlier.</summary>
    public IReadOnlyList<double> Outliers { get; }

    /// <summary>Rows whose label both the probabilities and the nearest rows contradict, the least probable label first.</summary>
    public IReadOnlyList<LabelIssue> Issues { get; }

    /// <summary>Confident learning on the same probabilities: other ways to choose, and how well each class is labelled.</summary>
    public LabelIssues Confident { get; }

    /// <summary>Reviews labels.</summary>
    /// <param name="features">Features of a network that was not trained on these labels, [N][D].</param>
    /// <param name="labels">Class of each row, [N], 0 to <paramref name="classCount"/> - 1.</param>
    /// <param name="classCount">Number of classes, K, two at least.</param>
    /// <param name="options">Folds and thresholds; null takes the defaults.</param>
    /// <param name="cancellationToken">Stops the review.</param>
    /// <exception cref="ArgumentException">The lengths differ, a label is no class, a class that is used has one row alone, or fewer than two are used.</exception>
    public static LabelReview Run(
        IReadOnlyList<float[]> features, IReadOnlyList<int> labels, int classCount, LabelReviewOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        options ??= new LabelReviewOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Folds, 2, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.NeighborCount, 1, nameof(options));
        var sizes = labels.CountBy(l => l).ToList();
        if (sizes.Count < 2 || sizes.Any(c => c.Value < 2))
        {
            throw new ArgumentException(
                sizes.Count < 2 ? "A review needs rows of two classes at least." : $"Class {sizes.First(c => c.Value < 2).Key} has one row; a review needs two at least of each class.",
                nameof(labels));
        }

        var standardized = Standardized(features);
        double[][] rows = [.. standardized.Select(row => Array.ConvertAll(row, value => (double)value))];
        var folds = Folds(labels, options);
        var held = LogisticRegression.OutOfFold(rows, labels, classCount, s_strengths, folds, cancellationToken);
        var best = held.Select(logits => (Logits: logits, Temperature: TemperatureScaling.Fit(logits, labels)))
            .MinBy(c => TemperatureScaling.NegativeLogLikelihood(c.Logits, labels, c.Temperature));
        double[][] probabilities = [.. best.Logits.Select(row => LogisticRegression.Softmax([.. row.Select(z => z / best.Temperature)]))];
        return new LabelReview(features, standardized, labels, probabilities, options);
    }

    /// <summary>Pairs of rows that carry different labels and are each other's nearest rows, the nearest pair first.</summary>
    public IReadOnlyList<LookalikePair> Lookalikes() => [.. Enumerable.Range(0, _labels.Count)
        .Where(i => _neighbors[i][0].Row is var other && i < other && _neighbors[other][0].Row == i && _labels[i] != _labels[other])
        .Select(i => new LookalikePair(i, _neighbors[i][0].Row, _neighbors[i][0].Distance))
        .OrderBy(pair => pair.Distance)];

    private int Likeliest(int row) => TensorPrimitives.IndexOfMax<double>(Probabilities[row]);

    // The rows of each class in a drawn order, dealt from a fold on that is drawn too, so that small classes do not fill the first folds.
    private static int[] Folds(IReadOnlyList<int> labels, LabelReviewOptions options)
    {
        var folds = new int[labels.Count];
        var rng = new Rng(options.Seed);
        foreach (var rows in Enumerable.Range(0, labels.Count).GroupBy(i => labels[i]).OrderBy(g => g.Key).Select(g => g.ToArray()))
        {
            var order = new int[rows.Length];
            rng.Permutation(order);
            var first = rng.NextInt32(0, options.Folds);
            for (var i = 0; i < rows.Length; i++)
            {
                folds[rows[order[i]]] = (first + i) % options.Folds;
            }
        }

        return folds;
    }

    private static float[][] Standardized(IReadOnlyList<float[]> features)
    {
        var width = features[0].Length;
        var (mean, deviation) = (new double[width], new double[width]);
        for (var k = 0; k < width; k++)
        {
            mean[k] = features.Average(row => (double)row[k]);
            deviation[k] = Math.Sqrt(features.Average(row => Math.Pow(row[k] - mean[k], 2)));
        }

        return [.. features.Select(row => row.Select((value, k) => deviation[k] > 0 ? (float)((value - mean[k]) / deviation[k]) : 0).ToArray())];
    }
}
