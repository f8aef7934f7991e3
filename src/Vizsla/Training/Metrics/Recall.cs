namespace Vizsla.Training.Metrics;

/// <summary>Share of the rows of a class that were found, averaged over the classes.</summary>
/// <param name="averaging">How the classes become one number. Default macro.</param>
/// <remarks>Source: scikit-learn <c>recall_score(average=..., zero_division=0)</c>. Parity: 1e-9.</remarks>
public sealed class Recall(Averaging averaging = Averaging.Macro) : Metric
{
    /// <inheritdoc/>
    public override string Name => $"recall_{averaging.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        return new ClassCounts(prediction).Average(c => c.Recall, averaging);
    }
}
