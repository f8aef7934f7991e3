namespace Vizsla.Training.Metrics;

/// <summary>Chance that a row of a class is given a higher probability of it than a row of another class, mean over the classes.</summary>
/// <remarks>
/// NaN where a class has no row, as the area is not defined there.
/// Source: scikit-learn <c>roc_auc_score(multi_class="ovr", average="macro")</c>. Parity: 1e-9.
/// </remarks>
public sealed class RocAuc : Metric
{
    /// <inheritdoc/>
    public override string Name => "roc_auc_ovr_macro";

    /// <inheritdoc/>
    public override bool GreaterIsBetter => true;

    /// <inheritdoc/>
    public override double Compute(EvalPrediction prediction)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        var probabilities = new double[prediction.ClassCount];
        var byClass = Enumerable.Range(0, prediction.ClassCount).Select(_ => new double[prediction.Count]).ToArray();
        for (var row = 0; row < prediction.Count; row++)
        {
            Probabilities.Softmax(prediction.Row(row), probabilities);
            for (var c = 0; c < probabilities.Length; c++)
            {
                byClass[c][row] = probabilities[c];
            }
        }

        return byClass.Select((scores, c) => Area(scores, prediction.LabelIds, c)).Average();
    }

    // The rank sum of Mann and Whitney; rows of equal score share the mean of their ranks.
    private static double Area(double[] scores, long[] labels, int label)
    {
        var order = Enumerable.Range(0, scores.Length).ToArray();
        Array.Sort((double[])scores.Clone(), order);
        double rankSum = 0;
        long positives = 0;
        for (int start = 0, end; start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && scores[order[end]] == scores[order[start]];)
            {
                end++;
            }

            var here = order[start..end].Count(row => labels[row] == label);
            positives += here;
            rankSum += here * (start + end + 1) / 2.0;
        }

        return (rankSum - (positives * (positives + 1) / 2.0)) / ((double)positives * (scores.Length - positives));
    }
}
