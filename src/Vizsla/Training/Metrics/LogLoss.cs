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
