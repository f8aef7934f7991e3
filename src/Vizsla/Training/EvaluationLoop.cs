using System.Runtime.InteropServices;
using TorchSharp;
using Vizsla.Distributed;
using Vizsla.Native;
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
        var (labels, processes) = (callbacks.Context.Labels, compute.Processes);
        var batchSize = _arguments.PerDeviceEvalBatchSize;
        var isFilledUp = _arguments.DistributedOrder == DistributedOrder.Accelerate;
        var share = new BatchShare(processes, _arguments.DistributedOrder, batchSize, isFilledUp && _arguments.DataloaderDropLast) { KeepsBatches = true };
        var count = _arguments.DataloaderDropLast && !isFilledUp ? dataset.Count / batchSize * batchSize : dataset.Count;
        var all = share.All([.. Enumerable.Range(0, count)]);
        var own = share.Own(all, 0, share.BatchCount(all));
        var batches = cache?.Load(dataset, own, batchSize, dropLast: false) ?? new BatchSource(dataset, _arguments with { DataloaderDropLast = false }, batchSize).Load(own, epoch: 0);
        var batchCount = (int)((own.Length + (long)batchSize - 1) / batchSize);
        var gathered = new Gathered(labels.Count, _arguments.EvalAccumulationSteps ?? int.MaxValue);
        compute.Network.Evaluate();
        SynchronizeBuffers();
        TorchGenerator.DrawLoaderSeed();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folding = cache is null ? compute.Network.FoldForPrediction() : null;
        using var lower = compute.Precision.OpenEvaluation();
        var places = share.Places(all, 0, share.BatchCount(all), processes.Rank).ToList();
        var (batch, done) = (0, 0);
        foreach (var loaded in batches)
        {
            using (loaded)
            using (NewDisposeScope())
            {
                var classes = loaded.Images.Labels.AsSpan(0, loaded.Images.Count).ToArray();
                var inputs = compute.Collate(loaded);
                var logits = (cache is null ? compute.Network.call(inputs.PixelValues) : cache.Forward(inputs.PixelValues)).to(ScalarType.Float32);

                // Rows that fill a batch up are part of its loss, as in Python, and of nothing else.
                var counted = places.Skip(done).Take(classes.Length).Count(place => place < count);
                gathered.Add(logits, classes, loss.Compute(logits, inputs.Labels, loss.WeightOf(classes)), counted);
                done += classes.Length;
            }

            callbacks.Tell(c => c.OnPredictionStep(callbacks.Context, batch, batchCount));
            if (++batch < batchCount && !processes.IsShared)
            {
                stop.ThrowIfCancellationRequested();
            }
        }

        return gathered.Finish(labels, processes, rank => share.Places(all, 0, share.BatchCount(all), rank), Math.Min(all.Length, count));
    }

    // Batch norms follow the batches of their own rank; those of rank 0 are evaluated and saved, as DistributedDataParallel has it.
    private void SynchronizeBuffers()
    {
        if (compute.Processes.IsShared)
        {
            var parameters = compute.Network.named_parameters().Select(p => p.name).ToHashSet(StringComparer.Ordinal);
            SharedWeights.Broadcast(compute.Processes, compute.Network.State().Where(s => !parameters.Contains(s.Name)).Select(s => s.Value));
        }
    }

    /// <summary>Keeps logits and losses on the device until enough have come, then reads them back together.</summary>
    private sealed class Gathered(int classCount, int batchesKept)
    {
        private readonly List<float> _logits = [];
        private readonly List<long> _labels = [];
        private readonly List<int> _counts = [];
        private readonly List<float> _losses = [];
        private readonly List<(Tensor Logits, Tensor Loss)> _kept = [];

        public void Add(Tensor logits, long[] labels, Tensor loss, int counted)
        {
            _labels.AddRange(labels);
            _counts.Add(counted);
            _kept.Add((logits.MoveToOuterDisposeScope(), loss.MoveToOuterDisposeScope()));
            if (_kept.Count >= batchesKept || logits.device_type == DeviceType.CPU)
            {
                ReadBack();
            }
        }

        /// <summary>What all processes have gathered, in the order of the split.</summary>
        /// <param name="labels">Names of the classes.</param>
        /// <param name="processes">The processes.</param>
        /// <param name="placesOf">Rows of a rank, in the order in which they were added there.</param>
        /// <param name="count">Rows of the split; those beyond filled a batch up.</param>
        public (EvalPrediction Prediction, double Loss, int BatchCount) Finish(
            IReadOnlyList<string> labels, ProcessGroup processes, Func<int, IEnumerable<int>> placesOf, int count)
        {
            ReadBack();
            var (sum, batchCount) = (_losses.Zip(_counts, (loss, counted) => (double)loss * counted).Sum(), _counts.Count);
            var (logits, classes) = (_logits.ToArray(), _labels.ToArray());
            if (processes.IsShared)
            {
                var sums = processes.AllGather(MemoryMarshal.AsBytes<double>([sum, batchCount])).Select(bytes => MemoryMarshal.Cast<byte, double>(bytes).ToArray()).ToList();
                (sum, batchCount) = (sums.Sum(s => s[0]), (int)sums.Sum(s => s[1]));
                var (allLogits, allClasses) = (processes.AllGather(logits), processes.AllGather(MemoryMarshal.AsBytes<long>(classes)));
                (logits, classes) = (new float[count * (long)classCount], new long[count]);
                for (var rank = 0; rank < processes.Size; rank++)
                {
                    var ofRank = MemoryMarshal.Cast<byte, long>(allClasses[rank]);
                    foreach (var (place, row) in placesOf(rank).Select((place, row) => (place, row)).Where(p => p.place < count))
                    {
                        classes[place] = ofRank[row];
                        allLogits[rank].AsSpan(row * classCount, classCount).CopyTo(logits.AsSpan(place * classCount));
                    }
                }
            }

            var mean = count == 0 ? double.NaN : (float)(sum / count);
            return (new EvalPrediction(logits, classes, labels), mean, batchCount);
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
