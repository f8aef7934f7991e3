using System.Numerics.Tensors;
using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Models;
using Vizsla.Onnx;
using Vizsla.Training;
using Vizsla.Training.Metrics;

namespace Vizsla.Cli.Jobs;

/// <summary>Measures an exported file on a split as <see cref="Trainer.Predict"/> measures the network.</summary>
internal static class ExportedEvaluation
{
    /// <summary>Runs the file over the split.</summary>
    /// <param name="file">The exported file.</param>
    /// <param name="split">The split; its transform is set.</param>
    /// <param name="arguments">Batch size and decoding.</param>
    /// <param name="prefix">What the names of metrics begin with.</param>
    /// <param name="metrics">What is computed of the logits.</param>
    /// <param name="cancellationToken">Ends the run between two batches.</param>
    /// <returns>The same keys as of the network.</returns>
    /// <exception cref="ArgumentsException">The split's classes are not the file's.</exception>
    public static PredictionOutput Run(
        string file, ImageDataset split, TrainingArguments arguments, string prefix, IReadOnlyList<Metric> metrics, CancellationToken cancellationToken)
    {
        using var classifier = OnnxClassifier.Load(file);
        var pipeline = classifier.Processor?.ToPipeline() ?? throw new UsageException($"'{file}' prepares pictures itself and gives scores; evaluate the file without preprocessing.");
        TrainerChecks.RequireSameClasses(classifier.Labels, !ModelConfiguration.AreNumbers(classifier.Labels), split);
        split.SetTransform(pipeline);
        var speed = new SpeedMeter();
        var loader = new BatchLoader(split, new BatchLoaderOptions { BatchSize = Math.Clamp(split.Count, 1, arguments.PerDeviceEvalBatchSize), FastDecode = arguments.FastDecode });
        List<float> logits = [];
        List<long> labels = [];
        foreach (var batch in loader.Load([.. Enumerable.Range(0, split.Count)], cancellationToken: cancellationToken))
        {
            using (batch)
            {
                var size = batch.Channels * batch.Height * batch.Width;
                foreach (var row in classifier.ComputeLogits((IReadOnlyList<ImageTensor>)[.. Enumerable.Range(0, batch.Count).Select(i => ImageTensor.Over(batch.Channels, batch.Height, batch.Width, batch.Pixels, i * size))]))
                {
                    logits.AddRange(row);
                }

                labels.AddRange(batch.Labels.AsSpan(0, batch.Count));
            }
        }

        var prediction = new EvalPrediction([.. logits], [.. labels], classifier.Labels);
        var values = new Dictionary<string, double>();
        if (prediction is { IsLabelled: true, Count: > 0 })
        {
            values[$"{prefix}_loss"] = Loss(prediction);
            foreach (var metric in metrics)
            {
                values[$"{prefix}_{metric.Name}"] = metric.Compute(prediction);
            }
        }

        foreach (var (name, value) in speed.Metrics(prefix, prediction.Count, loader.BatchCount(split.Count)))
        {
            values[name] = value;
        }

        return new PredictionOutput(prediction, values);
    }

    // Mean cross-entropy in nats.
    private static double Loss(EvalPrediction prediction)
    {
        var sum = 0.0;
        for (var row = 0; row < prediction.Count; row++)
        {
            var logits = prediction.Row(row);
            double largest = TensorPrimitives.Max(logits), exponents = 0;
            foreach (var logit in logits)
            {
                exponents += Math.Exp(logit - largest);
            }

            sum += Math.Log(exponents) + largest - logits[(int)prediction.LabelIds[row]];
        }

        return sum / prediction.Count;
    }
}
