namespace Vizsla.Training.Metrics;

/// <summary>Harmonic mean of precision and recall, averaged over the classes.</summary>
/// <param name="averaging">How the classes become one number. Default macro.</param>
/// <remarks>Source: scikit-learn <c>f1_score(average=..., zero_division=0)</c>. Parity: 1e-9.</remarks>
public sealed class F1Score(Averaging averaging = Averaging.Macro) : Metric
{
    /// <inheritdoc/>
    public override string Name => $"f1_{averaging.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Average(c => c.F1, averaging);
    }
}
