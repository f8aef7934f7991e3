using System.Numerics.Tensors;

namespace Vizsla.Analysis;

// N rows, K classes.

/// <summary>How well one class is recognized.</summary>
/// <param name="ClassIndex">Number of the class.</param>
/// <param name="Support">Rows that are of the class.</param>
/// <param name="Right">Rows of the class that are named so.</param>
/// <param name="Predicted">Rows that are named so, rightly or not.</param>
public readonly record struct ClassScore(int ClassIndex, int Support, int Right, int Predicted)
{
    /// <summary>Share of the rows of the class that are recognized, 0 to 1; 0 where there are none.</summary>
    public double Recall => Support == 0 ? 0 : Right / (double)Support;

    /// <summary>Share of the rows named so that are of the class, 0 to 1; 0 where there are none.</summary>
    public double Precision => Predicted == 0 ? 0 : Right / (double)Predicted;

    /// <summary>Harmonic mean of precision and recall, 0 to 1.</summary>
    public double F1 => Right == 0 ? 0 : 2.0 * Right / (Support + Predicted);

    /// <summary>The 95 % interval of the recall by Wilson's score; 0 to 1 where there are no rows.</summary>
    public (double Low, double High) RecallInterval => Support == 0 ? (0, 1) : Intervals.Wilson(Right, Support);
}

/// <summary>A class taken for another one.</summary>
/// <param name="Given">Class of the rows.</param>
/// <param name="Predicted">What they are taken for.</param>
/// <param name="Count">Number of rows.</param>
public readonly record struct Confusion(int Given, int Predicted, int Count);

/// <summary>Rows whose best probability lies in one interval.</summary>
/// <param name="Low">Lower bound, excluded.</param>
/// <param name="High">Upper bound, included.</param>
/// <param name="Count">Number of rows.</param>
/// <param name="Confidence">Mean of the best probability, 0 to 1; 0 without rows.</param>
/// <param name="Accuracy">Share of the rows that are right, 0 to 1; 0 without rows.</param>
public readonly record struct ReliabilityBin(double Low, double High, int Count, double Confidence, double Accuracy);

/// <summary>What stands behind an accuracy: each class, what is confused with what, the hardest rows, and whether probabilities mean what they say.</summary>
public sealed class EvaluationReport
{
    private const int Bins = 15;

    private readonly IReadOnlyList<int> _labels;
    private readonly double[][] _probabilities;
    private readonly int[] _predicted;
    private readonly int _classCount;

    /// <summary>Looks at the answers to labelled rows.</summary>
    /// <param name="logits">Logits, [N][K].</param>
    /// <param name="labels">Class of each row, [N], 0 to K - 1.</param>
    /// <exception cref="ArgumentException">There is no row, the lengths differ, or a label is no class.</exception>
    public EvaluationReport(IReadOnlyList<double[]> logits, IReadOnlyList<int> labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Count == 0 || logits.Count != labels.Count || logits.Any(row => row.Length != logits[0].Length))
        {
            throw new ArgumentException(Invariant($"Expected rows of one length, one for each of {labels.Count} labels, got {logits.Count}."), nameof(logits));
        }

        _classCount = logits[0].Length;
        if (labels.Any(label => label < 0 || label >= _classCount))
        {
            throw new ArgumentException($"A label is outside of 0 to {_classCount - 1}.", nameof(labels));
        }

        _labels = labels;
        _probabilities = [.. logits.Select(LogisticRegression.Softmax)];
        _predicted = [.. logits.Select(row => TensorPrimitives.IndexOfMax<double>(row))];
        Losses = [.. _probabilities.Select((row, i) => -Math.Log(Math.Max(row[labels[i]], double.Epsilon)))];
    }

    /// <summary>Cross-entropy of each row, [N], in nats.</summary>
    public IReadOnlyList<double> Losses { get; }

    /// <summary>The class with the largest logit of each row, [N].</summary>
    public IReadOnlyList<int> Predicted => _predicted;

    /// <summary>Each class, by number.</summary>
    public IReadOnlyList<ClassScore> Classes()
    {
        var (support, right, predicted) = (new int[_classCount], new int[_classCount], new int[_classCount]);
        for (var i = 0; i < _predicted.Length; i++)
        {
            support[_labels[i]]++;
            predicted[_predicted[i]]++;
            right[_labels[i]] += _predicted[i] == _labels[i] ? 1 : 0;
        }

        return [.. Enumerable.Range(0, _classCount).Select(k => new ClassScore(k, support[k], right[k], predicted[k]))];
    }

    /// <summary>Classes taken for others, the most frequent first.</summary>
    public IReadOnlyList<Confusion> Confusions() => [.. Enumerable.Range(0, _predicted.Length)
        .Where(i => _predicted[i] != _labels[i])
        .CountBy(i => (_labels[i], _predicted[i]))
        .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key)
        .Select(pair => new Confusion(pair.Key.Item1, pair.Key.Item2, pair.Value))];

    /// <summary>Probability of a class, 0 to 1.</summary>
    /// <param name="row">Number of the row.</param>
    /// <param name="classIndex">Number of the class.</param>
    public double Probability(int row, int classIndex) => _probabilities[row][classIndex];

    /// <summary>Rows by their best probability in 15 intervals of one width: a model whose probabilities mean what they say is right as often as it is sure.</summary>
    /// <remarks>Source: Guo et al., "On Calibration of Modern Neural Networks" (2017); the intervals of torchmetrics' calibration error.</remarks>
    public IReadOnlyList<ReliabilityBin> Reliability()
    {
        var rows = Enumerable.Range(0, _predicted.Length).ToLookup(i => Math.Min(Bins - 1, Math.Max(0, (int)Math.Ceiling(Best(i) * Bins) - 1)));
        return [.. Enumerable.Range(0, Bins).Select(bin => new ReliabilityBin(
            bin / (double)Bins, (bin + 1) / (double)Bins, rows[bin].Count(),
            rows[bin].Select(Best).DefaultIfEmpty().Average(),
            rows[bin].Select(i => _predicted[i] == _labels[i] ? 1.0 : 0).DefaultIfEmpty().Average()))];

        double Best(int row) => _probabilities[row][_predicted[row]];
    }
}
