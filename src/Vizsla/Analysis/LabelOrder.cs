using System.Numerics.Tensors;

namespace Vizsla.Analysis;

// N photos, D features, K classes.

/// <summary>How accurate a classifier on the labels given so far is, and what further ones will bring.</summary>
/// <param name="Labels">Labels given.</param>
/// <param name="Accuracy">Accuracy on photos that the classifier did not see, 0 to 1.</param>
/// <param name="More">Further labels that <paramref name="Expected"/> is for.</param>
/// <param name="Expected">Accuracy expected with them, 0 to 1.</param>
public sealed record LabelForecast(int Labels, double Accuracy, int More, double Expected);

/// <summary>Which photos to label next: those that a classifier on the labels so far is least sure of, far from one another and from what is labelled.</summary>
/// <remarks>
/// Until two classes have labels: the photo farthest from all labelled ones, the first one nearest to the mean. Then margin of the two likeliest classes times distance, picked one after the other.
/// Source: Settles, "Active Learning Literature Survey" (2009), margin sampling; Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach" (2018).
/// </remarks>
public sealed class LabelOrder
{
    // Features of length 1 leave the constant of the regression the same for every network.
    private const double Constant = 10;
    private const int CandidatesForEach = 8;
    private const int FoldCount = 5;
    private readonly double[][] _features;
    private LogisticRegression? _model;

    /// <param name="features">What a network makes of each photo, [N][D], N at least 1.</param>
    /// <exception cref="ArgumentException">There are none, or their lengths differ.</exception>
    public LabelOrder(IReadOnlyList<float[]> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.Count == 0 || features.Any(f => f.Length != features[0].Length))
        {
            throw new ArgumentException(Invariant($"Expected features of one length for one photo at least, got {features.Count} photos."), nameof(features));
        }

        _features = [.. features.Select(Direction)];
    }

    /// <summary>Learns from the labels given.</summary>
    /// <param name="labels">Class of each labelled photo, 0 to K - 1.</param>
    /// <param name="classCount">Number of classes, K.</param>
    /// <param name="cancellationToken">Looked at in each iteration.</param>
    public void Learn(IReadOnlyDictionary<int, int> labels, int classCount, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(labels);
        _model = labels.Values.Distinct().Count() < 2 ? null : Fit([.. labels.Keys], labels, classCount, cancellationToken);
    }

    /// <summary>Probabilities of a photo's classes by what was learnt; null before two classes have labels.</summary>
    /// <param name="photo">Number of the photo, 0 to N - 1.</param>
    /// <returns>[K].</returns>
    public double[]? Probabilities(int photo) => _model?.Probabilities(_features[photo]);

    /// <summary>The photos to label next.</summary>
    /// <param name="done">Photos that are labelled or passed over.</param>
    /// <param name="count">How many, at least 1.</param>
    /// <returns>At most as many, the one that helps most first.</returns>
    public IReadOnlyList<int> Next(IReadOnlyCollection<int> done, int count)
    {
        ArgumentNullException.ThrowIfNull(done);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var known = done.ToHashSet();
        var model = _model;
        var candidates = Enumerable.Range(0, _features.Length).Where(i => !known.Contains(i)).Select(i => (Photo: i, Doubt: model is null ? 1 : Doubt(model.Probabilities(_features[i])))).ToList();
        if (model is not null)
        {
            candidates = [.. candidates.OrderByDescending(c => c.Doubt).ThenBy(c => c.Photo).Take(CandidatesForEach * count)];
        }

        var distances = candidates.ToDictionary(c => c.Photo, c => known.Count == 0 ? double.PositiveInfinity : known.Min(k => Distance(c.Photo, k)));
        var picked = new List<int>();
        while (picked.Count < count && picked.Count < candidates.Count)
        {
            var best = known.Count + picked.Count == 0 ? Central() : candidates.Where(c => !picked.Contains(c.Photo)).MaxBy(c => c.Doubt * distances[c.Photo]).Photo;
            picked.Add(best);
            foreach (var (photo, _) in candidates)
            {
                distances[photo] = Math.Min(distances[photo], Distance(photo, best));
            }
        }

        return picked;
    }

    /// <summary>The accuracy on held-out labels, and what further labels will bring by how it grew so far.</summary>
    /// <param name="labels">Class of each labelled photo.</param>
    /// <param name="classCount">Number of classes, K.</param>
    /// <param name="more">Further labels, at least 1.</param>
    /// <param name="cancellationToken">Looked at in each iteration.</param>
    /// <returns>Null where fewer than two classes have two labels each.</returns>
    /// <remarks>Accuracy by stratified folds with a third, two thirds and all of the rest to learn from; error = a + b / sqrt(labels), by least squares. Source: Figueroa et al., "Predicting sample size required for classification performance" (2012).</remarks>
    public LabelForecast? Forecast(IReadOnlyDictionary<int, int> labels, int classCount, int more, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfLessThan(more, 1);
        var photos = labels.OrderBy(l => l.Key).Select(l => l.Key).ToList();
        if (photos.GroupBy(p => labels[p]).Count(g => g.Count() >= 2) < 2)
        {
            return null;
        }

        var folds = photos.GroupBy(p => labels[p]).SelectMany(g => g.Select((p, i) => (p, i))).ToDictionary(x => x.p, x => x.i % FoldCount);
        var points = new List<(double Labels, double Accuracy)>();
        foreach (var part in new[] { 1.0 / 3, 2.0 / 3, 1 })
        {
            var (right, seen, learnt) = (0, 0, 0.0);
            for (var fold = 0; fold < FoldCount; fold++)
            {
                // The first of each class, so that a third still has every class.
                var rest = photos.Where(p => folds[p] != fold).GroupBy(p => labels[p]).SelectMany(g => g.Take((int)Math.Ceiling(g.Count() * part))).ToList();
                var held = photos.Where(p => folds[p] == fold).ToList();
                if (held.Count > 0 && rest.Select(p => labels[p]).Distinct().Count() >= 2)
                {
                    var model = Fit(rest, labels, classCount, cancellationToken);
                    right += held.Count(p => Largest(model.Probabilities(_features[p])) == labels[p]);
                    (seen, learnt) = (seen + held.Count, learnt + ((double)rest.Count * held.Count));
                }
            }

            if (seen > 0)
            {
                points.Add((learnt / seen, right / (double)seen));
            }
        }

        var now = points[^1].Accuracy;
        var then = Fitted(points, photos.Count + more);
        return new LabelForecast(photos.Count, now, more, Math.Clamp(Math.Max(then, now), 0, 1));
    }

    private LogisticRegression Fit(IReadOnlyList<int> photos, IReadOnlyDictionary<int, int> labels, int classCount, CancellationToken cancellationToken) =>
        LogisticRegression.Fit([.. photos.Select(p => _features[p])], [.. photos.Select(p => labels[p])], classCount, Constant, cancellationToken);

    private static double Fitted(List<(double Labels, double Accuracy)> points, double labels)
    {
        var (meanX, meanY) = (points.Average(p => 1 / Math.Sqrt(p.Labels)), points.Average(p => 1 - p.Accuracy));
        var spread = points.Sum(p => Math.Pow((1 / Math.Sqrt(p.Labels)) - meanX, 2));
        var slope = spread > 0 ? points.Sum(p => ((1 / Math.Sqrt(p.Labels)) - meanX) * (1 - p.Accuracy - meanY)) / spread : 0;
        return 1 - Math.Max(0, meanY + (Math.Max(0, slope) * ((1 / Math.Sqrt(labels)) - meanX)));
    }

    private static int Largest(double[] values) => TensorPrimitives.IndexOfMax<double>(values);

    private static double Doubt(double[] probabilities)
    {
        var (first, second) = (0.0, 0.0);
        foreach (var p in probabilities)
        {
            (first, second) = p > first ? (p, first) : (first, Math.Max(second, p));
        }

        return 1 - (first - second);
    }

    private int Central()
    {
        var mean = new double[_features[0].Length];
        foreach (var row in _features)
        {
            TensorPrimitives.Add<double>(mean, row, mean);
        }

        return Enumerable.Range(0, _features.Length).MaxBy(i => TensorPrimitives.Dot<double>(mean, _features[i]));
    }

    private double Distance(int a, int b) => 1 - TensorPrimitives.Dot<double>(_features[a], _features[b]);

    private static double[] Direction(float[] values)
    {
        double[] row = [.. values];
        var length = TensorPrimitives.Norm<double>(row);
        TensorPrimitives.Divide(row, length > 0 ? length : 1, row);
        return row;
    }
}
