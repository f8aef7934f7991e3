namespace Vizsla.Training.Metrics;

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
