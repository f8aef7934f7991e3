using TorchSharp;
using Vizsla.Models;
using Vizsla.Training.Data;
using Vizsla.Training.Losses;
using Vizsla.Training.Steps;
using static TorchSharp.torch;

namespace Vizsla.Training.Evaluation;

/// <summary>Runs a network over a split: logits, labels and loss.</summary>
/// <remarks>Source: <c>Trainer.evaluation_loop</c> of transformers. Parity: loss 1e-6; the mean of batch means, each weighted by its samples.</remarks>
internal sealed class EvaluationLoop(
    TrainingArguments arguments, ClassificationNetwork network, ClassificationLoss loss, ComputePrecision precision, Collator collator, Device device)
{
    /// <summary>Gives features in the place of pictures while a training lends it; null otherwise.</summary>
    public FeatureCache? Cache { get; set; }

    /// <summary>Runs over a split in order; leaves the network in evaluation mode.</summary>
    /// <param name="dataset">The split.</param>
    /// <param name="labels">Names of the classes.</param>
    /// <param name="batchDone">Hears of each batch: its number from 0, and the number of batches.</param>
    /// <param name="stop">Ends the run after a batch that is not the last.</param>
    public EvaluationResult Run(ImageDataset dataset, IReadOnlyList<string> labels, Action<int, int> batchDone, CancellationToken stop)
    {
        var cache = Cache is { IsUsed: true } && FeatureCache.Fits(dataset) ? Cache : null;
        int[] order = [.. Enumerable.Range(0, dataset.Count)];
        var batches = cache?.Load(dataset, order, arguments.PerDeviceEvalBatchSize, arguments.DataloaderDropLast)
            ?? new BatchSource(dataset, arguments, arguments.PerDeviceEvalBatchSize).Load(order, epoch: 0);
        var batchCount = arguments.DataloaderDropLast
            ? dataset.Count / arguments.PerDeviceEvalBatchSize
            : (dataset.Count + arguments.PerDeviceEvalBatchSize - 1) / arguments.PerDeviceEvalBatchSize;
        var gathered = new Gathered(labels.Count, arguments.EvalAccumulationSteps ?? int.MaxValue);
        network.eval();
        TorchGenerator.DrawLoaderSeed();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folding = cache is null ? network.FoldForPrediction() : null;
        using var lower = precision.OpenEvaluation();
        var batch = 0;
        foreach (var loaded in batches)
        {
            using (loaded)
            using (NewDisposeScope())
            {
                var classes = loaded.Images.Labels.AsSpan(0, loaded.Images.Count).ToArray();
                var inputs = loaded.Collate(collator, device, arguments.DataloaderPinMemory);
                var logits = (cache is null ? network.call(inputs.PixelValues) : cache.Forward(inputs.PixelValues)).to(ScalarType.Float32);
                gathered.Add(logits, classes, loss.Compute(logits, inputs.Labels, loss.WeightOf(classes)));
            }

            batchDone(batch++, batchCount);
            if (batch < batchCount)
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

        public EvaluationResult Finish(IReadOnlyList<string> labels)
        {
            ReadBack();
            var sum = _losses.Zip(_counts, (loss, count) => (double)loss * count).Sum();
            var mean = _labels.Count == 0 ? double.NaN : (float)(sum / _labels.Count);
            return new(new EvalPrediction([.. _logits], [.. _labels], labels), mean, _counts.Count);
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

/// <summary>What a run over a split gave.</summary>
/// <param name="Prediction">Logits and classes.</param>
/// <param name="Loss">Mean loss, a float32.</param>
/// <param name="BatchCount">Batches.</param>
internal sealed record EvaluationResult(EvalPrediction Prediction, double Loss, int BatchCount);
