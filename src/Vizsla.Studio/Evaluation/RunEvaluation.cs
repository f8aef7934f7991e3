using System.Globalization;

namespace Vizsla.Studio.Evaluation;

/// <summary>A model's predictions on a whole split, and the metrics over them.</summary>
public sealed class RunEvaluation
{
    private const int BinCount = 10;

    private readonly int[] _counts;
    private readonly IReadOnlyList<(int Truth, int Named, int Count)> _confusions;

    /// <param name="split">Name of the split.</param>
    /// <param name="labels">The model's classes in order.</param>
    /// <param name="outcomes">One per picture.</param>
    /// <param name="unreadable">Pictures left out because they cannot be read.</param>
    public RunEvaluation(string split, IReadOnlyList<string> labels, IReadOnlyList<PictureOutcome> outcomes, int unreadable = 0)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(outcomes);
        (Split, Labels, Outcomes, Unreadable) = (split, labels, outcomes, unreadable);
        Confusion = new int[labels.Count, labels.Count];
        _counts = new int[labels.Count];
        var named = new int[labels.Count];
        foreach (var outcome in outcomes)
        {
            Confusion[outcome.Label, outcome.Predicted]++;
            _counts[outcome.Label]++;
            named[outcome.Predicted]++;
        }

        Classes = [.. labels.Select((name, i) => new ClassScore(
            name, _counts[i], named[i] == 0 ? 0 : (double)Confusion[i, i] / named[i], _counts[i] == 0 ? 0 : (double)Confusion[i, i] / _counts[i]))];
        _confusions = [.. outcomes.Where(o => !o.IsRight).CountBy(o => (o.Label, o.Predicted)).OrderByDescending(c => c.Value).ThenBy(c => c.Key).Select(c => (c.Key.Label, c.Key.Predicted, c.Value))];
    }

    /// <summary>Name of the split.</summary>
    public string Split { get; }

    /// <summary>The model's classes in order.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>One per picture.</summary>
    public IReadOnlyList<PictureOutcome> Outcomes { get; }

    /// <summary>Pictures left out because they cannot be read.</summary>
    public int Unreadable { get; }

    /// <summary>Pictures by true class (rows) and most likely class (columns).</summary>
    public int[,] Confusion { get; }

    /// <summary>Share of pictures named rightly; 0 of none.</summary>
    public double Accuracy => Outcomes.Count == 0 ? 0 : (double)Outcomes.Count(o => o.IsRight) / Outcomes.Count;

    /// <summary>Pictures whose true class it is.</summary>
    /// <param name="label">Number of the class.</param>
    public int Count(int label) => _counts[label];

    /// <summary>Precision and recall of each class.</summary>
    public IReadOnlyList<ClassScore> Classes { get; }

    /// <summary>The pictures that surprised the model most, worst first.</summary>
    /// <param name="count">How many.</param>
    public IReadOnlyList<PictureOutcome> Worst(int count) => [.. Outcomes.OrderByDescending(o => o.Loss).ThenBy(o => o.Row).Take(count)];

    /// <summary>The pairs of classes most often taken for one another, most first.</summary>
    /// <param name="count">How many.</param>
    public IReadOnlyList<(int Truth, int Named, int Count)> Confusions(int count) => [.. _confusions.Take(count)];

    /// <summary>Ten bins of confidence: middle, accuracy, and a sentence; empty bins are left out.</summary>
    public IReadOnlyList<(double Confidence, double Right, string Text)> Calibration =>
        [.. Outcomes.GroupBy(o => Math.Min(BinCount - 1, (int)(o.Confidence * BinCount))).OrderBy(bin => bin.Key).Select(bin =>
        {
            var right = (double)bin.Count(o => o.IsRight) / bin.Count();
            var middle = (bin.Key + 0.5) / BinCount;
            return (middle, right, string.Create(CultureInfo.InvariantCulture,
                $"{bin.Count()} pictures with confidence {(double)bin.Key / BinCount:0.0} to {(bin.Key + 1.0) / BinCount:0.0}: {right:P0} right"));
        })];

    /// <summary>Expected calibration error over the ten bins.</summary>
    public double CalibrationError => Outcomes.Count == 0 ? 0 : Outcomes
        .GroupBy(o => Math.Min(BinCount - 1, (int)(o.Confidence * BinCount)))
        .Sum(bin => Math.Abs(bin.Average(o => o.Confidence) - bin.Average(o => o.IsRight ? 1.0 : 0.0)) * bin.Count()) / Outcomes.Count;
}

/// <summary>A model's answer for one labeled picture.</summary>
/// <param name="Row">Row in the split.</param>
/// <param name="Label">True class, an index into the model's labels.</param>
/// <param name="Predicted">Likeliest class.</param>
/// <param name="Confidence">Its score.</param>
/// <param name="Loss">Negative logarithm of the true class's score.</param>
public sealed record PictureOutcome(int Row, int Label, int Predicted, double Confidence, double Loss)
{
    /// <summary>The five most likely classes with their scores, best first.</summary>
    public IReadOnlyList<(int Label, double Score)> Top { get; init; } = [];

    /// <summary>Whether the most likely class is the true one.</summary>
    public bool IsRight => Label == Predicted;
}

/// <summary>Precision and recall of one class.</summary>
/// <param name="Name">The class.</param>
/// <param name="Count">Pictures of it.</param>
/// <param name="Precision">Share of those named so that are; 0 when none was named so.</param>
/// <param name="Recall">Share of those that are and were named so; 0 when there are none.</param>
public sealed record ClassScore(string Name, int Count, double Precision, double Recall)
{
    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;
}
