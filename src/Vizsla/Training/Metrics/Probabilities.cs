namespace Vizsla.Training.Metrics;

/// <summary>Softmax in double precision.</summary>
internal static class Probabilities
{
    /// <summary>The probabilities of one row.</summary>
    /// <param name="logits">C logits.</param>
    /// <param name="destination">Room for C probabilities.</param>
    public static void Softmax(ReadOnlySpan<float> logits, Span<double> destination)
    {
        double largest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        for (var c = 0; c < logits.Length; c++)
        {
            destination[c] = Math.Exp(logits[c] - largest);
            sum += destination[c];
        }

        for (var c = 0; c < logits.Length; c++)
        {
            destination[c] /= sum;
        }
    }
}
