using Vizsla.Distributed;

namespace Vizsla.Training.Data;

/// <summary>Which rows of an epoch or a split each process takes: consecutive batches go to the ranks in turn.</summary>
/// <remarks>
/// <see cref="DistributedOrder.Same"/> shares out what is left at the end; <see cref="DistributedOrder.Accelerate"/> fills it up with rows from the beginning.
/// Source: accelerate <c>BatchSamplerShard</c>. Parity: exact.
/// </remarks>
internal sealed class BatchShare
{
    private readonly ProcessGroup _processes;
    private readonly int _batchSize;
    private readonly bool _dropsLast;
    private readonly bool _isFilledUp;

    /// <param name="processes">The processes.</param>
    /// <param name="order">What becomes of what is left at the end.</param>
    /// <param name="batchSize">Rows of a batch of one process.</param>
    /// <param name="dropsLast">Whether what is left at the end is left out.</param>
    public BatchShare(ProcessGroup processes, DistributedOrder order, int batchSize, bool dropsLast)
    {
        (_processes, _batchSize, _dropsLast) = (processes, batchSize, dropsLast);
        _isFilledUp = processes.IsShared && order == DistributedOrder.Accelerate && !dropsLast;
    }

    /// <summary>Whether what is left at the end stays in batches of the same size, for a mean of batches that does not depend on the processes. Default false: each process has an equal part.</summary>
    public bool KeepsBatches { get; init; }

    // Rows of a batch of all processes.
    private int Together => _batchSize * _processes.Size;

    /// <summary>Batches of each process; one may have no rows in the last.</summary>
    /// <param name="all">What <see cref="All"/> gave.</param>
    public int BatchCount(int[] all) => (int)((all.Length + (long)Together - 1) / Together);

    /// <summary>The rows that all processes take together.</summary>
    /// <param name="order">Rows in order.</param>
    public int[] All(int[] order)
    {
        var count = _dropsLast ? order.Length / Together * Together
            : _isFilledUp ? (order.Length + Together - 1) / Together * Together
            : order.Length;

        // Python doubles the first rows until there are enough of them.
        var first = Math.Min(Together, order.Length);
        return [.. order.Take(count), .. Enumerable.Range(0, Math.Max(0, count - order.Length)).Select(i => order[i % first])];
    }

    /// <summary>The rows of this process in some of the batches.</summary>
    /// <param name="all">What <see cref="All"/> gave.</param>
    /// <param name="firstBatch">The first of them, from 0.</param>
    /// <param name="batchCount">How many.</param>
    /// <returns>Rows in batches that are full but perhaps the last.</returns>
    public int[] Own(int[] all, int firstBatch, int batchCount) => [.. Places(all, firstBatch, batchCount, _processes.Rank).Select(place => all[place])];

    /// <summary>Where the rows of a process stand among those of all.</summary>
    /// <param name="all">What <see cref="All"/> gave.</param>
    /// <param name="firstBatch">First batch, from 0.</param>
    /// <param name="batchCount">How many.</param>
    /// <param name="rank">The process.</param>
    public IEnumerable<int> Places(int[] all, int firstBatch, int batchCount, int rank) =>
        Enumerable.Range(firstBatch, batchCount).SelectMany(batch =>
        {
            var part = PartOf(all, batch, rank);
            return Enumerable.Range((batch * Together) + part.Start, part.Count);
        });

    /// <summary>The part of each batch that this process takes.</summary>
    /// <param name="all">What <see cref="All"/> gave.</param>
    /// <param name="firstBatch">First batch, from 0.</param>
    /// <param name="batchCount">How many.</param>
    public IReadOnlyList<BatchPart> Parts(int[] all, int firstBatch, int batchCount) =>
        [.. Enumerable.Range(firstBatch, batchCount).Select(batch => PartOf(all, batch, _processes.Rank))];

    private BatchPart PartOf(int[] all, int batch, int rank)
    {
        var count = (int)Math.Clamp(all.Length - ((long)batch * Together), 0, Together);
        var (start, end) = count == Together || KeepsBatches
            ? (Math.Min(rank * _batchSize, count), Math.Min((rank + 1) * _batchSize, count))
            : _processes.Share(count, rank);
        return new(start, end - start, count);
    }
}

/// <summary>The rows of one process in a batch of all.</summary>
/// <param name="Start">The first of them, from the beginning of the batch.</param>
/// <param name="Count">How many; may be none.</param>
/// <param name="Together">Rows of the batch.</param>
internal readonly record struct BatchPart(int Start, int Count, int Together);
