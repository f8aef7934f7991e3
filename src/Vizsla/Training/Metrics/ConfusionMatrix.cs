namespace Vizsla.Training.Metrics;

/// <summary>How often each class was taken for each other.</summary>
/// <remarks>Source: scikit-learn <c>confusion_matrix</c>. Parity: equal.</remarks>
public sealed class ConfusionMatrix
{
    private readonly long[] _counts;

    /// <summary>Counts a whole split.</summary>
    /// <param name="prediction">Logits and true classes.</param>
    public ConfusionMatrix(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        Labels = prediction.Labels;
        _counts = new long[(long)prediction.ClassCount * prediction.ClassCount];
        for (var row = 0; row < prediction.Count; row++)
        {
            _counts[(prediction.LabelIds[row] * prediction.ClassCount) + prediction.Predicted(row)]++;
        }

        Classes = new ClassCounts(prediction).Scores;
    }

    /// <summary>Names of the C classes.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>Precision, recall and F1 of each class, in the order of <see cref="Labels"/>.</summary>
    public IReadOnlyList<ClassScores> Classes { get; }

    /// <summary>Rows of class <paramref name="label"/> that were taken for <paramref name="predicted"/>.</summary>
    /// <param name="label">True class, 0 to C - 1.</param>
    /// <param name="predicted">Predicted class, 0 to C - 1.</param>
    public long this[int label, int predicted] => _counts[(label * Labels.Count) + predicted];

    /// <summary>The mistakes made most often.</summary>
    /// <param name="count">How many at most.</param>
    /// <returns>Pairs of a true class and what it was taken for, most frequent first; equal ones in the order of the labels.</returns>
    public IReadOnlyList<Confusion> MostFrequent(int count) =>
        [.. (from label in Enumerable.Range(0, Labels.Count)
             from predicted in Enumerable.Range(0, Labels.Count)
             where label != predicted && this[label, predicted] > 0
             orderby this[label, predicted] descending
             select new Confusion(Labels[label], Labels[predicted], this[label, predicted], Classes[label].Support)).Take(count)];
}

/// <summary>One kind of mistake.</summary>
/// <param name="Label">The true class.</param>
/// <param name="Predicted">What it was taken for.</param>
/// <param name="Count">How often.</param>
/// <param name="Support">Rows of the true class.</param>
public sealed record Confusion(string Label, string Predicted, long Count, long Support);
