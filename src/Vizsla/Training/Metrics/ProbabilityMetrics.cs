namespace Vizsla.Training.Metrics;

/// <summary>Mean negative log probability of the true class, in nats.</summary>
/// <remarks>
/// Probabilities are softmax in double precision, kept 2^-52 away from 0 and 1.
/// Source: scikit-learn <c>log_loss</c>. Parity: 1e-9.
/// </remarks>
public sealed class LogLoss : Metric
{
    private const double Epsilon = 2.220446049250313e-16;

    /// <inheritdoc/>
    public override string Name => "log_loss";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => false;

    /// <inheritdoc/>
    public override string Unit => "nats";

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var probabilities = new double[prediction.ClassCount];
        var sum = 0.0;
        for (var row = 0; row < prediction.Count; row++)
        {
            Probabilities.Softmax(prediction.Row(row), probabilities);
            sum -= Math.Log(Math.Clamp(probabilities[prediction.LabelIds[row]], Epsilon, 1 - Epsilon));
        }

        return sum / prediction.Count;
    }
}

/// <summary>Mean distance between confidence and accuracy over bins of equal width: 0 when 80 % sure means right in 80 % of cases.</summary>
/// <remarks>
/// The confidence is the largest probability, in single precision as the source has it; a confidence of exactly 1 has a bin of its own.
/// Source: torchmetrics <c>MulticlassCalibrationError(norm="l1")</c>. Parity: 1e-6.
/// </remarks>
public sealed class CalibrationError : Metric
{
    private readonly int _bins;

    /// <summary>Makes the metric.</summary>
    /// <param name="bins">Bins between 0 and 1. Default 15.</param>
    public CalibrationError(int bins = 15)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        _bins = bins;
    }

    /// <inheritdoc/>
    public override string Name => "expected_calibration_error";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => false;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var confidences = new double[_bins + 1];
        var hits = new long[_bins + 1];
        var counts = new long[_bins + 1];
        var bounds = Bounds();
        var probabilities = new double[prediction.ClassCount];
        for (var row = 0; row < prediction.Count; row++)
        {
            Probabilities.Softmax(prediction.Row(row), probabilities);
            var predicted = prediction.Predicted(row);
            var confidence = (float)probabilities[predicted];
            var found = Array.BinarySearch(bounds, confidence);
            var bin = found >= 0 ? found : Math.Max(~found - 1, 0);
            confidences[bin] += confidence;
            counts[bin]++;
            hits[bin] += predicted == prediction.LabelIds[row] ? 1 : 0;
        }

        return Enumerable.Range(0, _bins + 1).Sum(bin => Math.Abs(hits[bin] - confidences[bin])) / prediction.Count;
    }

    // torch.linspace counts from both ends, in single precision.
    private float[] Bounds()
    {
        var step = 1f / _bins;
        return [.. Enumerable.Range(0, _bins + 1).Select(i => i < (_bins + 1) / 2 ? step * i : 1f - (step * (_bins - i)))];
    }
}

/// <summary>Chance that a row of a class is given a higher probability of it than a row of another class, mean over the classes.</summary>
/// <remarks>
/// NaN where a class has no row, as the area is not defined there.
/// Source: scikit-learn <c>roc_auc_score(multi_class="ovr", average="macro")</c>. Parity: 1e-9.
/// </remarks>
public sealed class RocAuc : Metric
{
    /// <inheritdoc/>
    public override string Name => "roc_auc_ovr_macro";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var (count, classCount) = (prediction.Count, prediction.ClassCount);
        var (largest, sums) = (new double[count], new double[count]);
        for (var row = 0; row < count; row++)
        {
            (largest[row], sums[row]) = Probabilities.Denominator(prediction.Row(row));
        }

        // A class at a time: all probabilities at once would take many times the memory of the logits.
        var (scores, order) = (new double[count], new int[count]);
        var sum = 0.0;
        for (var c = 0; c < classCount; c++)
        {
            for (var row = 0; row < count; row++)
            {
                scores[row] = Math.Exp(prediction.Logits[(row * (long)classCount) + c] - largest[row]) / sums[row];
                order[row] = row;
            }

            sum += Area(scores, order, prediction.LabelIds, c);
        }

        return sum / classCount;
    }

    // The rank sum of Mann and Whitney; rows of equal score share the mean of their ranks. Sorts scores and order.
    private static double Area(double[] scores, int[] order, long[] labels, int label)
    {
        Array.Sort(scores, order);
        double rankSum = 0;
        long positives = 0;
        for (int start = 0, end; start < order.Length; start = end)
        {
            var here = 0L;
            for (end = start; end < order.Length && (end == start || scores[end] == scores[start]); end++)
            {
                here += labels[order[end]] == label ? 1 : 0;
            }

            positives += here;
            rankSum += here * (start + end + 1) / 2.0;
        }

        return (rankSum - (positives * (positives + 1) / 2.0)) / ((double)positives * (scores.Length - positives));
    }
}

/// <summary>Softmax in double precision.</summary>
internal static class Probabilities
{
    /// <summary>The probabilities of one row.</summary>
    /// <param name="logits">C logits.</param>
    /// <param name="destination">Room for C probabilities.</param>
    public static void Softmax(ReadOnlySpan<float> logits, Span<double> destination)
    {
        var (largest, sum) = Denominator(logits);
        for (var c = 0; c < logits.Length; c++)
        {
            destination[c] = Math.Exp(logits[c] - largest) / sum;
        }
    }

    /// <summary>The largest logit of a row, and the sum of the exponentials of what each logit is above it.</summary>
    /// <param name="logits">C logits.</param>
    public static (double Largest, double Sum) Denominator(ReadOnlySpan<float> logits)
    {
        double largest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return (largest, sum);
    }
}
