namespace Vizsla.Training.Metrics;

/// <summary>Mean recall of the classes that have rows.</summary>
/// <remarks>Source: scikit-learn <c>balanced_accuracy_score</c>. Parity: 1e-9.</remarks>
public sealed class BalancedAccuracy : Metric
{
    /// <inheritdoc/>
    public override string Name => "balanced_accuracy";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Scores.Where(c => c.Support > 0).Select(c => c.Recall).DefaultIfEmpty(double.NaN).Average();
    }
}
