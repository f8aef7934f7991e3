using Vizsla.Loading;

namespace Vizsla.Training.Data;

/// <summary>The training split as steps: order, batches, and from where a resumed epoch goes on.</summary>
internal sealed class TrainingData
{
    private readonly TrainingPlan _plan;
    private readonly EpochOrder _order;
    private readonly BatchSource _source;
    private readonly bool _fetchesWholeSteps;

    /// <param name="dataset">The training split; every row has a label.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="plan">Batches and steps of an epoch.</param>
    public TrainingData(ImageDataset dataset, TrainingArguments arguments, TrainingPlan plan)
    {
        _plan = plan;
        Labels = [.. Enumerable.Range(0, dataset.Count).Select(row => (long)dataset.Label(row))];
        _order = new EpochOrder(arguments.TrainSamplingStrategy, Labels, arguments.DataSeed ?? arguments.Seed);
        _source = new BatchSource(dataset, arguments, plan.BatchSize);
        _fetchesWholeSteps = arguments.DataRng == DataRng.Torch;
    }

    /// <summary>Class of each row.</summary>
    public IReadOnlyList<long> Labels { get; }

    /// <summary>See <see cref="BatchSource.StateBeforePending"/>.</summary>
    public byte[]? StateBeforePending => _source.StateBeforePending;

    /// <summary>The steps of an epoch.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="firstBatch">Batches of it that are done already.</param>
    /// <param name="pendingState">See <see cref="BatchSource.Load"/>.</param>
    public IEnumerable<StepBatches> Steps(int epoch, int firstBatch, byte[]? pendingState)
    {
        var order = _order.Of(epoch);
        using var batches = _source.Load(order, epoch, firstBatch, pendingState).GetEnumerator();
        for (int first = firstBatch, count; first < _plan.BatchesPerEpoch; first += count)
        {
            count = Math.Min(_plan.AccumulationSteps, _plan.BatchesPerEpoch - first);
            var start = first * _plan.BatchSize;
            var rows = order[start..Math.Min(start + (count * _plan.BatchSize), order.Length)];
            var step = Take(batches, count);

            // Python fetches all micro-batches of a step before its first forward pass, which matters where both draw from one generator.
            yield return new StepBatches(rows, count, first + count, _fetchesWholeSteps ? [.. step] : step);
        }
    }

    private static IEnumerable<ImageBatch> Take(IEnumerator<ImageBatch> batches, int count)
    {
        for (var i = 0; i < count && batches.MoveNext(); i++)
        {
            yield return batches.Current;
        }
    }
}
