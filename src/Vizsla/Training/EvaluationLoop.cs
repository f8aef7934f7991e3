using TorchSharp;
using Vizsla.Loading;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Metrics;
using static TorchSharp.torch;

namespace Vizsla.Training;

/// <summary>Runs a network over a split: logits, loss and metrics.</summary>
/// <remarks>
/// Source: <c>Trainer.evaluation_loop</c>, <c>Trainer.evaluate</c> of transformers.
/// Parity: loss 1e-6, the mean of batch means, each weighted by its samples; the same keys and rounding.
/// </remarks>
/// <param name="compute">The network, and where it computes.</param>
/// <param name="loss">The loss.</param>
/// <param name="metrics">What is computed of the logits.</param>
/// <param name="callbacks">Are told of each batch.</param>
internal sealed class EvaluationLoop(ComputeContext compute, TrainingLoss loss, IReadOnlyList<Metric> metrics, CallbackList callbacks)
{
    private readonly TrainingArguments _arguments = compute.Arguments;

    /// <summary>Evaluates a split in order; one without labels gives speed alone. Leaves the network in evaluation mode.</summary>
    /// <param name="dataset">The split.</param>
    /// <param name="prefix">What the names of metrics begin with.</param>
    /// <param name="cache">Gives features in place of pictures; null gives pictures.</param>
    /// <param name="stop">Ends the run after a batch that is not the last.</param>
    public (Dictionary<string, double> Metrics, EvalPrediction Prediction) Run(ImageDataset dataset, string prefix, FeatureCache? cache, CancellationToken stop)
    {
        var speed = new SpeedMeter();
        var (prediction, meanLoss, batchCount) = Predict(dataset, cache is { IsUsed: true } && FeatureCache.Fits(dataset) ? cache : null, stop);
        var values = new Dictionary<string, double>();
        if (prediction.IsLabelled)
        {
            values[$"{prefix}_loss"] = meanLoss;
        }

        if (prediction is { IsLabelled: true, Count: > 0 } && !_arguments.PredictionLossOnly)
        {
            foreach (var metric in metrics)
            {
                values[$"{prefix}_{metric.Name}"] = metric.Compute(prediction);
            }
        }

        foreach (var (name, value) in speed.Metrics(prefix, prediction.Count, batchCount))
        {
            values[name] = value;
        }

        return (values, prediction);
    }

    private (EvalPrediction Prediction, double Loss, int BatchCount) Predict(ImageDataset dataset, FeatureCache? cache, CancellationToken stop)
    {
        var (batchSize, labels) = (_arguments.PerDeviceEvalBatchSize, callbacks.Context.Labels);
        int[] order = [.. Enumerable.Range(0, dataset.Count)];
        var batches = cache?.Load(dataset, order, batchSize, _arguments.DataloaderDropLast) ?? new BatchSource(dataset, _arguments, batchSize).Load(order, epoch: 0);
        var batchCount = _arguments.DataloaderDropLast ? dataset.Count / batchSize : (int)((dataset.Count + (long)batchSize - 1) / batchSize);
        var gathered = new Gathered(labels.Count, _arguments.EvalAccumulationSteps ?? int.MaxValue);
        compute.Network.Evaluate();
        TorchGenerator.DrawLoaderSeed();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folding = cache is null ? compute.Network.FoldForPrediction() : null;
        using var lower = compute.Precision.OpenEvaluation();
        var batch = 0;
        foreach (var loaded in batches)
        {
            using (loaded)
            using (NewDisposeScope())
            {
                var classes = loaded.Images.Labels.AsSpan(0, loaded.Images.Count).ToArray();
                var inputs = compute.Collate(loaded);
                var logits = (cache is null ? compute.Network.call(inputs.PixelValues) : cache.Forward(inputs.PixelValues)).to(ScalarType.Float32);
                gathered.Add(logits, classes, loss.Compute(logits, inputs.Labels, loss.WeightOf(classes)));
            }

            callbacks.Tell(c => c.OnPredictionStep(callbacks.Context, batch, batchCount));
            if (++batch < batchCount)
            {
                stop.ThrowIfCancellationRequested();
            }
        }

        return gathered.Finish(labels);
    }

    /// <summary>Keeps logits and losses on the device until enough have come, then reads them back together.</summary>
    private sealed class Gathered(int classCount, int batchesKept)
    {
        private readonly List<float> _logits = [];
        private readonly List<long> _labels = [];
        private readonly List<int> _counts = [];
        private readonly List<float> _losses = [];
        private readonly List<(Tensor Logits, Tensor Loss)> _kept = [];

        public void Add(Tensor logits, long[] labels, Tensor loss)
        {
            _labels.AddRange(labels);
            _counts.Add(labels.Length);
            _kept.Add((logits.MoveToOuterDisposeScope(), loss.MoveToOuterDisposeScope()));
            if (_kept.Count >= batchesKept || logits.device_type == DeviceType.CPU)
            {
                ReadBack();
            }
        }

        public (EvalPrediction Prediction, double Loss, int BatchCount) Finish(IReadOnlyList<string> labels)
        {
            ReadBack();
            var sum = _losses.Zip(_counts, (loss, count) => (double)loss * count).Sum();
            var mean = _labels.Count == 0 ? double.NaN : (float)(sum / _labels.Count);
            return (new EvalPrediction([.. _logits], [.. _labels], labels), mean, _counts.Count);
        }

        private void ReadBack()
        {
            foreach (var (logits, loss) in _kept)
            {
                if (logits.shape[1] != classCount)
                {
                    throw new TrainingException($"The model gives {logits.shape[1]} scores for each picture, but has {classCount} labels.");
                }

                using var onCpu = logits.cpu();
                _logits.AddRange(onCpu.data<float>());
                _losses.Add(loss.item<float>());
                logits.Dispose();
                loss.Dispose();
            }

            _kept.Clear();
        }
    }
}
