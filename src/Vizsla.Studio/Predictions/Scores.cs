namespace Vizsla.Studio.Predictions;

/// <summary>Logits to the likeliest classes.</summary>
/// <remarks>Source: transformers <c>ImageClassificationPipeline.postprocess</c>. Parity: 1e-6.</remarks>
internal static class Scores
{
    /// <summary>Applies the function in float32, softmax after subtracting the largest logit.</summary>
    public static float[] Apply(ScoreFunction function, ReadOnlySpan<float> logits)
    {
        var scores = logits.ToArray();
        switch (function)
        {
            case ScoreFunction.Softmax:
                var largest = scores.Max();
                var sum = 0f;
                for (var i = 0; i < scores.Length; i++)
                {
                    scores[i] = MathF.Exp(scores[i] - largest);
                    sum += scores[i];
                }

                for (var i = 0; i < scores.Length; i++)
                {
                    scores[i] /= sum;
                }

                break;
            case ScoreFunction.Sigmoid:
                for (var i = 0; i < scores.Length; i++)
                {
                    scores[i] = 1f / (1f + MathF.Exp(-scores[i]));
                }

                break;
        }

        return scores;
    }

    /// <summary>The best classes, best first; equal scores keep the order of the labels.</summary>
    /// <param name="scores">One score per label.</param>
    /// <param name="labels">Class names.</param>
    /// <param name="count">How many; more than there are gives all.</param>
    public static IReadOnlyList<LabelScore> Top(float[] scores, IReadOnlyList<string> labels, int count) =>
        [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).Take(count).Select(i => new LabelScore(labels[i], scores[i]))];
}
