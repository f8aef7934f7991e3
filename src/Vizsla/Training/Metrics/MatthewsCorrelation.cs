namespace Vizsla.Training.Metrics;

/// <summary>Correlation of truth and prediction, -1 to 1; 0 is chance.</summary>
/// <remarks>Source: scikit-learn <c>matthews_corrcoef</c>. Parity: 1e-9.</remarks>
public sealed class MatthewsCorrelation : Metric
{
    /// <inheritdoc/>
    public override string Name => "matthews_corrcoef";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var counts = new ClassCounts(prediction);
        var square = (double)counts.Total * counts.Total;
        var spread = (square - counts.SquaredPredicted) * (square - counts.SquaredSupport);
        return spread == 0 ? 0 : (((double)counts.Correct * counts.Total) - counts.ChanceAgreement) / Math.Sqrt(spread);
    }
}
