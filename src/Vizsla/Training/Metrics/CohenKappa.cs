namespace Vizsla.Training.Metrics;

/// <summary>Agreement of truth and prediction beyond chance, at most 1; NaN when both know only one class.</summary>
/// <remarks>Source: scikit-learn <c>cohen_kappa_score</c>. Parity: 1e-9.</remarks>
public sealed class CohenKappa : Metric
{
    /// <inheritdoc/>
    public override string Name => "cohen_kappa";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var counts = new ClassCounts(prediction);
        var chance = counts.ChanceAgreement / counts.Total;
        return 1 - ((counts.Total - counts.Correct) / (counts.Total - chance));
    }
}
