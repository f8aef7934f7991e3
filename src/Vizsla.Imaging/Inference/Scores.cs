namespace Vizsla.Inference;

/// <summary>Logits to the most likely classes.</summary>
/// <remarks>Source: transformers <c>ImageClassificationPipeline.postprocess</c>. Parity: 1e-6.</remarks>
public static class Scores
{
    /// <summary>The function that a model's logits want: sigmoid for several labels at once or a single one, else softmax.</summary>
    /// <param name="classCount">Number of classes.</param>
    /// <param name="problemType">HF: <c>problem_type</c> of <c>config.json</c>; null where it says nothing.</param>
    public static ScoreFunction DefaultFunction(int classCount, string? problemType) =>
        classCount == 1 || problemType == "multi_label_classification" ? ScoreFunction.Sigmoid : ScoreFunction.Softmax;

    /// <summary>Applies the function in float32, softmax after subtracting the largest logit.</summary>
    /// <param name="function">The function.</param>
    /// <param name="logits">One logit per class.</param>
    /// <returns>One score per class.</returns>
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
    /// <param name="scores">One score per class.</param>
    /// <param name="labels">Class names.</param>
    /// <param name="count">How many, at least 1; more than there are gives all.</param>
    public static IReadOnlyList<Prediction> Top(float[] scores, IReadOnlyList<string> labels, int count)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).Take(count).Select(i => new Prediction(labels[i], scores[i], i))];
    }
}
