namespace Vizsla.Training.Metrics;

/// <summary>Share of rows whose largest logit is that of the true class.</summary>
/// <remarks>Source: scikit-learn <c>accuracy_score</c>. Parity: 1e-9.</remarks>
public sealed class Accuracy : Metric
{
    /// <inheritdoc/>
    public override string Name => "accuracy";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Accuracy;
    }
}
