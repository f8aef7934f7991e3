namespace Vizsla.Training.Metrics;

/// <summary>Share of rows whose true class is among the largest logits.</summary>
/// <remarks>Of equal logits the later class stands higher, as in numpy's <c>argsort</c>. Source: <c>y in argsort(p)[-k:]</c>. Parity: 1e-9.</remarks>
public sealed class TopAccuracy : Metric
{
    private readonly int _count;

    /// <summary>Makes the metric.</summary>
    /// <param name="count">How many guesses each row has, 1 or more. Default 5.</param>
    public TopAccuracy(int count = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _count = count;
    }

    /// <inheritdoc/>
    public override string Name => $"top_{_count}_accuracy";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var hits = 0;
        for (var row = 0; row < prediction.Count; row++)
        {
            hits += Above(prediction.Row(row), (int)prediction.LabelIds[row]) < _count ? 1 : 0;
        }

        return (double)hits / prediction.Count;
    }

    private static int Above(ReadOnlySpan<float> logits, int label)
    {
        var above = 0;
        for (var c = 0; c < logits.Length; c++)
        {
            above += logits[c] > logits[label] || (logits[c] == logits[label] && c > label) ? 1 : 0;
        }

        return above;
    }
}
