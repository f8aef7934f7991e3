using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using TorchSharp;
using Vizsla.Distributed;
using Vizsla.Loading;
using Vizsla.Models;
using Vizsla.Native;
using Vizsla.Training.Optimizers;
using Vizsla.Transforms;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>The features of a backbone, computed once per picture, in the place of pictures as long as it is frozen.</summary>
/// <remarks>Numbers are those of a run without it up to the rounding of another batch size and of folded batch norms.</remarks>
internal sealed partial class FeatureCache
{
    private const long Mebibyte = 1L << 20;

    private readonly ComputeContext _compute;
    private readonly Compose? _plainTransform;
    private readonly Freezing _freezing;
    // A row of features for each picture: together they may be more than one array can hold.
    private readonly Dictionary<ImageDataset, float[][]> _features = new(ReferenceEqualityComparer.Instance);
    private readonly CancellationToken _stop;

    private FeatureCache(ComputeContext compute, Compose? plainTransform, Freezing freezing, CancellationToken stop) =>
        (_compute, _plainTransform, _freezing, _stop) = (compute, plainTransform, freezing, stop);

    /// <summary>Whether the epoch that runs takes features; false from the unfreezing on.</summary>
    public bool IsUsed { get; private set; } = true;

    /// <summary>A cache where one is asked for, or where none was forbidden and nothing stands against it; else null.</summary>
    /// <param name="compute">The network, and where it computes.</param>
    /// <param name="train">The training split.</param>
    /// <param name="evaluation">The evaluation split, whose transform takes the place of a random one; null without one.</param>
    /// <param name="freezing">What trains, and when.</param>
    /// <param name="logger">Is told where pictures are no longer augmented.</param>
    /// <param name="stop">Ends the computation of features after the batch that runs.</param>
    /// <param name="freeBytes">Memory that there is for features; null asks the machine.</param>
    /// <exception cref="Arguments.ArgumentsException">One is asked for and something stands against it.</exception>
    public static FeatureCache? For(
        ComputeContext compute, ImageDataset train, ImageDataset? evaluation, Freezing freezing, ILogger logger, CancellationToken stop, long? freeBytes = null)
    {
        var arguments = compute.Arguments;
        var isRandom = train.Transform is { IsRandom: true };
        var obstacle = !freezing.IsBackboneFrozenAtFirst ? "the backbone trains: set freeze to backbone"
            : arguments.FreezeBatchNorm == false ? "the backbone's batch norms follow the batches: leave out freeze_batch_norm"
            : isRandom && evaluation is not { Transform.IsRandom: false }
                ? "the training transform is random and no evaluation split has one that is not: leave the random steps out, or pass such a split"
            : arguments.MixupAlpha > 0 || arguments.CutmixAlpha > 0 ? "batches are mixed: leave out mixup_alpha and cutmix_alpha"
            : arguments.PatchDropRate > 0 ? "patches are dropped at random: leave out patch_drop_rate"
            : null;
        if (arguments.FeatureCache == true && obstacle is not null)
        {
            throw new Arguments.ArgumentsException($"feature_cache cannot be used, for {obstacle}.");
        }

        if (!(arguments.FeatureCache ?? (obstacle is null && !isRandom)))
        {
            return null;
        }

        var cache = new FeatureCache(compute, evaluation?.Transform, freezing, stop);
        var needed = cache.BytesFor(train) + (evaluation is { Count: > 0 } && Fits(evaluation) ? cache.BytesFor(evaluation) : 0);
        var free = freeBytes ?? FreeBytes(compute.Processes);
        if (needed > free)
        {
            TooLarge(logger, needed / Mebibyte, free / Mebibyte);
            return null;
        }

        if (isRandom)
        {
            NotAugmenting(logger);
        }

        return cache;
    }

    /// <summary>Drops the features when an epoch begins in which the backbone trains.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    public void BeginEpoch(int epoch)
    {
        IsUsed = _freezing.IsFrozenIn(epoch);
        if (!IsUsed)
        {
            _features.Clear();
        }
    }

    /// <summary>Whether the features of a split are those of every epoch.</summary>
    public static bool Fits(ImageDataset dataset) => dataset.Transform is { IsRandom: false };

    /// <summary>Scores of cached features.</summary>
    /// <param name="features">Float [B, F, 1, 1].</param>
    public Tensor Forward(Tensor features)
    {
        using var flat = features.flatten(1);
        return _compute.Network.Head(flat);
    }

    /// <summary>The rows of an epoch as batches of [F, 1, 1] "pictures"; computes the features first, with the other processes, where that is still to be done.</summary>
    public IEnumerable<TrainingBatch> Load(ImageDataset dataset, IReadOnlyList<int> order, int batchSize, bool dropLast, int firstBatch = 0) =>
        Batches(dataset, FeaturesOf(dataset), order, batchSize, dropLast, firstBatch);

    private static IEnumerable<TrainingBatch> Batches(ImageDataset dataset, float[][] features, IReadOnlyList<int> order, int batchSize, bool dropLast, int firstBatch)
    {
        for (var start = firstBatch * (long)batchSize; start + (dropLast ? batchSize : 1) <= order.Count; start += batchSize)
        {
            var count = (int)Math.Min(batchSize, order.Count - start);
            var width = features[order[(int)start]].Length;
            var batch = new ImageBatch(count, width, 1, 1);
            for (var i = 0; i < count; i++)
            {
                var row = order[(int)start + i];
                features[row].CopyTo(batch.Pixels.AsSpan(i * width));
                (batch.Labels[i], batch.Rows[i]) = (dataset.Label(row), row);
            }

            yield return new TrainingBatch(batch, Targets: null);
        }
    }

    private float[][] FeaturesOf(ImageDataset dataset)
    {
        if (!_features.TryGetValue(dataset, out var features))
        {
            _features.Add(dataset, features = ComputeTogether(dataset));
        }

        return features;
    }

    /// <summary>Features of all pictures, a part of them by each process.</summary>
    private float[][] ComputeTogether(ImageDataset dataset)
    {
        var processes = _compute.Processes;
        var (start, end) = processes.Share(dataset.Count, processes.Rank);
        var own = Compute(dataset, [.. Enumerable.Range(start, end - start)]);
        if (!processes.IsShared)
        {
            return own;
        }

        var all = new List<float[]>(dataset.Count);
        foreach (var (numbers, rank) in processes.AllGather([.. own.SelectMany(row => row)]).Select((numbers, rank) => (numbers, rank)))
        {
            var (first, last) = processes.Share(dataset.Count, rank);
            all.AddRange(last == first ? [] : numbers.Chunk(numbers.Length / (last - first)));
        }

        return [.. all];
    }

    // The least that any process has for itself: all decide alike.
    private static long FreeBytes(ProcessGroup processes)
    {
        var machines = processes.AllGather(Environment.MachineName);
        var free = Machine.Read().FreeMemoryBytes / machines.Count(machine => machine == Environment.MachineName);
        return processes.AllGather(MemoryMarshal.AsBytes<long>([free])).Min(bytes => MemoryMarshal.Read<long>(bytes));
    }

    // The width is known once one picture has gone through the network.
    private long BytesFor(ImageDataset dataset) => Compute(dataset, [0])[0].Length * (long)sizeof(float) * dataset.Count;

    private float[][] Compute(ImageDataset dataset, int[] rows)
    {
        var wasTraining = _compute.Network.training;
        var features = Compute(_compute, dataset.Transform is { IsRandom: true } ? dataset.WithTransform(_plainTransform) : dataset, rows, mirrored: false, _stop);
        if (wasTraining)
        {
            _freezing.SetTrainingMode();
        }

        return features;
    }

    /// <summary>Features of pictures; leaves the network in evaluation mode.</summary>
    /// <param name="compute">The network, and where it computes.</param>
    /// <param name="pictures">Pictures with a transform that is not random.</param>
    /// <param name="rows">Which of them.</param>
    /// <param name="mirrored">Whether each is mirrored left to right before the network sees it.</param>
    /// <param name="stop">Ends the computation after the batch that runs.</param>
    public static float[][] Compute(ComputeContext compute, ImageDataset pictures, int[] rows, bool mirrored, CancellationToken stop)
    {
        var features = new float[rows.Length][];
        var done = 0;
        var network = compute.Network;
        network.Evaluate();
        using var noGradient = no_grad();
        using var folding = network.FoldForPrediction();
        using var lower = compute.Precision.OpenEvaluation();
        var arguments = compute.Arguments with { DataRng = DataRng.Sample, DataloaderDropLast = false };
        var source = new BatchSource(pictures, arguments, arguments.PerDeviceEvalBatchSize);
        foreach (var batch in source.Load(rows, epoch: 0))
        {
            if (done > 0)
            {
                stop.ThrowIfCancellationRequested();
            }

            using (batch)
            using (NewDisposeScope())
            {
                var inputs = batch.Collate(Collator.Default, compute.Device, arguments.DataloaderPinMemory);
                var pixels = mirrored ? inputs.PixelValues.flip(3) : inputs.PixelValues;
                NumberGuard.Require(network, pixels);
                var values = network.Features(pixels).to(ScalarType.Float32).flatten(1).cpu().contiguous();
                var numbers = MemoryMarshal.Cast<byte, float>(values.bytes);
                for (var width = (int)values.shape[1]; !numbers.IsEmpty; numbers = numbers[width..])
                {
                    features[done++] = numbers[..width].ToArray();
                }
            }
        }

        return features;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The features of the frozen backbone would take {Needed} MiB of memory, and {Free} MiB are free: they are not kept, and each epoch runs all pictures through it.")]
    private static partial void TooLarge(ILogger logger, long needed, long free);

    [LoggerMessage(Level = LogLevel.Information, Message = "While the backbone is frozen its features are computed once, from pictures without augmentation.")]
    private static partial void NotAugmenting(ILogger logger);
}
