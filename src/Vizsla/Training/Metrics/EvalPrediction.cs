using Vizsla.Loading;

namespace Vizsla.Training.Metrics;

/// <summary>The logits and the true classes of a whole split.</summary>
/// <param name="Logits">Float32 [N, C], row by row.</param>
/// <param name="LabelIds">True class of each row, 0 to C - 1; length N.</param>
/// <param name="Labels">Names of the C classes.</param>
/// <remarks>Source: transformers <c>EvalPrediction</c>.</remarks>
public sealed record EvalPrediction(float[] Logits, long[] LabelIds, IReadOnlyList<string> Labels)
{
    /// <summary>Number of classes.</summary>
    public int ClassCount => Labels.Count;

    /// <summary>Whether every row has a true class.</summary>
    public bool IsLabelled => !LabelIds.Contains(ImageBatch.NoLabel);

    /// <summary>Number of rows.</summary>
    public int Count => LabelIds.Length;

    /// <summary>The logits of one row.</summary>
    /// <param name="row">0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<float> Row(int row) => Logits.AsSpan(row * ClassCount, ClassCount);

    /// <summary>The class with the largest logit, the first of equals, as numpy's <c>argmax</c>.</summary>
    /// <param name="row">0 to <see cref="Count"/> - 1.</param>
    public int Predicted(int row)
    {
        var logits = Row(row);
        var best = 0;
        for (var c = 1; c < logits.Length; c++)
        {
            // numpy takes a NaN for the largest.
            if (logits[c] > logits[best] || (float.IsNaN(logits[c]) && !float.IsNaN(logits[best])))
            {
                best = c;
            }
        }

        return best;
    }
}
