using System.Diagnostics;
using Vizsla.Loading;

namespace Vizsla.Training.Evaluation;

/// <summary>Turns a run over a split into metrics.</summary>
/// <remarks>Source: <c>Trainer.evaluate</c>, <c>speed_metrics</c> of transformers. Parity: the same keys and rounding.</remarks>
internal sealed class Evaluator(EvaluationLoop loop, IReadOnlyList<Metric> metrics, IReadOnlyList<string> labels, bool lossOnly)
{
    /// <summary>The loop, to which a training lends its cache.</summary>
    public EvaluationLoop Loop => loop;

    /// <summary>Evaluates a split; one without labels gives speed alone.</summary>
    /// <param name="dataset">The split.</param>
    /// <param name="prefix"><c>eval</c> or <c>test</c>.</param>
    /// <param name="batchDone">Hears of each batch.</param>
    /// <param name="stop">Ends the run between two batches.</param>
    public (Dictionary<string, double> Metrics, EvalPrediction Prediction) Run(
        ImageDataset dataset, string prefix, Action<int, int> batchDone, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        var result = loop.Run(dataset, labels, batchDone, stop);
        var values = new Dictionary<string, double>();
        var isLabelled = !result.Prediction.LabelIds.Contains(ImageBatch.NoLabel);
        if (isLabelled)
        {
            values[$"{prefix}_loss"] = result.Loss;
        }

        if (isLabelled && !lossOnly && result.Prediction.Count > 0)
        {
            foreach (var metric in metrics)
            {
                values[$"{prefix}_{metric.Name}"] = metric.Compute(result.Prediction);
            }
        }

        AddSpeed(values, prefix, watch.Elapsed, result.Prediction.Count, result.BatchCount);
        return (values, result.Prediction);
    }

    /// <summary>Adds duration and rates, rounded as Python rounds them.</summary>
    public static void AddSpeed(Dictionary<string, double> values, string prefix, TimeSpan duration, double samples, double steps)
    {
        var seconds = Math.Max(duration.TotalSeconds, 1e-6);
        values[$"{prefix}_runtime"] = Math.Round(seconds, 4);
        values[$"{prefix}_samples_per_second"] = Math.Round(samples / seconds, 3);
        values[$"{prefix}_steps_per_second"] = Math.Round(steps / seconds, 3);
    }
}
