namespace Vizsla.Training.Metrics;

/// <summary>Hits, predictions and true rows of each class: all that precision, recall and their kin need.</summary>
/// <remarks>Grows with the classes, not with their square, so 21,000 classes are no trouble.</remarks>
internal sealed class ClassCounts
{
    private readonly IReadOnlyList<string> _labels;
    private readonly long[] _hits;
    private readonly long[] _predicted;
    private readonly long[] _support;

    /// <param name="prediction">Logits and true classes of a whole split.</param>
    public ClassCounts(EvalPrediction prediction)
    {
        _labels = prediction.Labels;
        _hits = new long[prediction.ClassCount];
        _predicted = new long[prediction.ClassCount];
        _support = new long[prediction.ClassCount];
        for (var row = 0; row < prediction.Count; row++)
        {
            var predicted = prediction.Predicted(row);
            var label = prediction.LabelIds[row];
            _predicted[predicted]++;
            _support[label]++;
            if (predicted == label)
            {
                _hits[predicted]++;
            }
        }

        Total = prediction.Count;
        Correct = _hits.Sum();
    }

    /// <summary>Rows.</summary>
    public long Total { get; }

    /// <summary>Rows whose prediction is right.</summary>
    public long Correct { get; }

    /// <summary>Share of right rows; NaN without rows.</summary>
    public double Accuracy => (double)Correct / Total;

    /// <summary>Sum over classes of true rows times predicted rows: what chance alone would meet, times the rows.</summary>
    public double ChanceAgreement => Enumerable.Range(0, _hits.Length).Sum(c => (double)_support[c] * _predicted[c]);

    /// <summary>Sum of the squared counts of true rows.</summary>
    public double SquaredSupport => _support.Sum(n => (double)n * n);

    /// <summary>Sum of the squared counts of predicted rows.</summary>
    public double SquaredPredicted => _predicted.Sum(n => (double)n * n);

    /// <summary>The scores of each class, in the order of the labels.</summary>
    public IReadOnlyList<ClassScores> Scores =>
        [.. _labels.Select((label, c) => new ClassScores(label, Share(_hits[c], _predicted[c]), Share(_hits[c], _support[c]), Share(2 * _hits[c], _predicted[c] + _support[c]), _support[c], _predicted[c]))];

    /// <summary>One number from a score of each class.</summary>
    /// <param name="score">Precision, recall or F1.</param>
    /// <param name="averaging">How classes are weighted.</param>
    public double Average(Func<ClassScores, double> score, Averaging averaging) => averaging switch
    {
        Averaging.Micro => Accuracy,
        Averaging.Weighted => Scores.Sum(c => score(c) * c.Support) / Total,
        _ => Scores.Where(c => c.Support + c.Predicted > 0).Select(score).DefaultIfEmpty(double.NaN).Average(),
    };

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}

/// <summary>How well one class is told from the others.</summary>
/// <param name="Label">Name of the class.</param>
/// <param name="Precision">Share of the rows predicted as this class that are of it, 0 to 1; 0 where it was never predicted.</param>
/// <param name="Recall">Share of the rows of this class that were found, 0 to 1; 0 where it has none.</param>
/// <param name="F1">Harmonic mean of the two; 0 where both are 0.</param>
/// <param name="Support">Rows of this class.</param>
/// <param name="Predicted">Rows predicted as this class.</param>
/// <remarks>Source: scikit-learn <c>precision_recall_fscore_support(zero_division=0)</c>. Parity: 1e-9.</remarks>
public sealed record ClassScores(string Label, double Precision, double Recall, double F1, long Support, long Predicted);
