namespace Vizsla.Transforms;

/// <summary>Labels as probabilities: one row of floats per picture, which a soft cross-entropy compares with the model's.</summary>
/// <remarks>Source: the labels that torchvision's <c>MixUp</c> and <c>CutMix</c> return.</remarks>
public sealed class SoftTargets
{
    private SoftTargets(int count, int classCount) => (Count, ClassCount, Values) = (count, classCount, new float[count * classCount]);

    /// <summary>Number of pictures.</summary>
    public int Count { get; }

    /// <summary>Number of classes.</summary>
    public int ClassCount { get; }

    /// <summary>Float [Count, ClassCount], row by row; each row adds up to 1.</summary>
    public float[] Values { get; }

    /// <summary>Rows with a 1 at the label.</summary>
    /// <param name="labels">Class numbers, 0 to <paramref name="classCount"/> - 1.</param>
    /// <param name="classCount">Number of classes.</param>
    /// <exception cref="ArgumentOutOfRangeException">A label is not a class number.</exception>
    public static SoftTargets FromLabels(ReadOnlySpan<long> labels, int classCount)
    {
        var targets = new SoftTargets(labels.Length, classCount);
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] < 0 || labels[i] >= classCount)
            {
                throw new ArgumentOutOfRangeException(nameof(labels), labels[i], Invariant($"Label {labels[i]} of picture {i} is not one of {classCount} classes."));
            }

            targets.Row(i)[(int)labels[i]] = 1;
        }

        return targets;
    }

    /// <summary>The probabilities of one picture.</summary>
    /// <param name="index">0 to Count - 1.</param>
    public Span<float> Row(int index) => Values.AsSpan(index * ClassCount, ClassCount);
}
