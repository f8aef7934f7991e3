using Vizsla.Distributed;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Losses;

namespace Vizsla.Training.Data;

/// <summary>The training split as steps: order, batches, and from where a resumed epoch goes on.</summary>
internal sealed class TrainingData
{
    private readonly TrainingPlan _plan;
    private readonly EpochOrder _order;
    private readonly BatchSource _source;
    private readonly bool _fetchesWholeSteps;
    private readonly FeatureCache? _cache;
    private readonly BatchMixer? _mixer;
    private readonly ImageDataset _dataset;
    private readonly bool _dropsLast;
    private readonly BatchShare _share;

    /// <param name="dataset">The training split; every row has a label.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="plan">Batches and steps of an epoch.</param>
    /// <param name="classCount">Classes of the model.</param>
    /// <param name="cache">Gives features in place of pictures; null gives pictures.</param>
    /// <param name="processes">The processes that share the pictures.</param>
    public TrainingData(ImageDataset dataset, TrainingArguments arguments, TrainingPlan plan, int classCount, FeatureCache? cache, ProcessGroup processes)
    {
        (_dataset, _plan, _cache, _dropsLast) = (dataset, plan, cache, arguments.DataloaderDropLast);
        Labels = [.. Enumerable.Range(0, dataset.Count).Select(row => (long)dataset.Label(row))];
        _order = new EpochOrder(arguments.TrainSamplingStrategy, Labels, arguments.DataSeed ?? arguments.Seed);
        _mixer = BatchMixer.For(arguments, classCount);
        _source = new BatchSource(dataset, arguments, plan.BatchSize, _mixer, processes);
        _share = new BatchShare(processes, arguments.DistributedOrder, plan.BatchSize, _dropsLast);
        _fetchesWholeSteps = arguments.DataRng == DataRng.Torch || arguments.AutoFindBatchSize;
    }

    /// <summary>Class of each row.</summary>
    private IReadOnlyList<long> Labels { get; }

    /// <summary>Draws which patches of each micro-batch are left out, for all processes together; null where each draws for itself.</summary>
    public SharedPatchNoise? PatchNoise { get; init; }

    /// <summary>See <see cref="BatchSource.StateBeforePending"/>.</summary>
    public byte[]? StateBeforePending => _source.StateBeforePending;

    /// <summary>What the samples of a step weigh in the loss; mixed ones all alike.</summary>
    public double WeightOf(StepBatches step, TrainingLoss loss) => _mixer is null ? loss.WeightOf(step.AllRows.Select(row => Labels[row])) : step.AllRows.Length;

    /// <summary>The steps of an epoch.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="firstBatch">Batches of it that are done already.</param>
    /// <param name="pendingState">See <see cref="BatchSource.Load"/>.</param>
    public IEnumerable<StepBatches> Steps(int epoch, int firstBatch, byte[]? pendingState)
    {
        var all = _share.All(_order.Of(epoch));
        var own = _share.Own(all, 0, _plan.BatchesPerEpoch);
        var loaded = _cache is { IsUsed: true }
            ? _cache.Load(_dataset, own, _plan.BatchSize, _dropsLast, firstBatch)
            : _source.Load(own, epoch, firstBatch, pendingState);
        using var batches = loaded.GetEnumerator();
        for (int first = firstBatch, count; first < _plan.BatchesPerEpoch; first += count)
        {
            count = Math.Min(_plan.AccumulationSteps, _plan.BatchesPerEpoch - first);
            var start = first * _plan.BatchSizeOfAll;
            var allRows = all[start..Math.Min(start + (count * _plan.BatchSizeOfAll), all.Length)];
            var rows = _share.Own(all, first, count);
            var ownCount = (rows.Length + _plan.BatchSize - 1) / _plan.BatchSize;
            if (!_fetchesWholeSteps)
            {
                yield return new StepBatches(rows, allRows, ownCount, first + count, Take(batches, ownCount, _share.Parts(all, first, count)));
                continue;
            }

            // Python fetches all micro-batches of a step before its first forward pass, which matters where both draw from one generator;
            // and a step that does not fit in memory is repeated.
            var fetched = new List<TrainingBatch>();
            try
            {
                while (fetched.Count < ownCount && batches.MoveNext())
                {
                    fetched.Add(batches.Current);
                }

                yield return new StepBatches(rows, allRows, ownCount, first + count, fetched);
            }
            finally
            {
                fetched.ForEach(batch => batch.Dispose());
            }
        }
    }

    // Each goes back to the loader when the next one is asked for.
    private IEnumerable<TrainingBatch> Take(IEnumerator<TrainingBatch> batches, int count, IReadOnlyList<BatchPart> parts)
    {
        for (var i = 0; i < count && batches.MoveNext(); i++)
        {
            using var batch = batches.Current;
            PatchNoise?.BeginBatch(parts[i]);
            yield return batch;
            PatchNoise?.EndBatch();
        }

        foreach (var part in parts.Skip(count))
        {
            PatchNoise?.BeginBatch(part);
            PatchNoise?.EndBatch();
        }
    }
}

/// <summary>The rows of each epoch in the order of training.</summary>
/// <remarks>
/// Source: accelerate's <c>SeedableRandomSampler</c>, torch's <c>randperm</c> with seed + epoch; balanced: <c>torch.utils.data.WeightedRandomSampler</c> with as many draws as rows,
/// each row weighing 1 over the rows of its class, and a generator of seed + epoch. Parity: exact.
/// </remarks>
internal sealed class EpochOrder
{
    private readonly TrainSamplingStrategy _strategy;
    private readonly int _count;
    private readonly ulong _seed;
    private readonly double[] _weights;

    /// <param name="strategy">Which sample comes next.</param>
    /// <param name="labels">Class of each row.</param>
    /// <param name="seed">The data seed.</param>
    public EpochOrder(TrainSamplingStrategy strategy, IReadOnlyList<long> labels, long seed)
    {
        (_strategy, _count, _seed) = (strategy, labels.Count, (ulong)seed);
        var counts = strategy == TrainSamplingStrategy.Balanced ? labels.CountBy(label => label).ToDictionary() : [];
        _weights = counts.Count > 0 ? [.. labels.Select(label => 1.0 / counts[label])] : [];
    }

    /// <summary>The order of an epoch.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    public int[] Of(int epoch)
    {
        var order = new int[_count];
        var rng = new Rng(_seed + (ulong)epoch);
        switch (_strategy)
        {
            case TrainSamplingStrategy.Random:
                rng.Permutation(order);
                break;
            case TrainSamplingStrategy.Sequential:
                for (var i = 0; i < _count; i++)
                {
                    order[i] = i;
                }

                break;
            default:
                if (_count > 1)
                {
                    rng.Choices(_weights, order);
                }

                break;
        }

        return order;
    }
}
