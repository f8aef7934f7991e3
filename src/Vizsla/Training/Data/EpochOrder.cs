using Vizsla.Primitives;

namespace Vizsla.Training.Data;

/// <summary>The rows of each epoch in the order of training.</summary>
/// <remarks>Source: accelerate's <c>SeedableRandomSampler</c>: torch's <c>randperm</c> with seed + epoch. Parity: exact.</remarks>
internal sealed class EpochOrder
{
    private readonly TrainSamplingStrategy _strategy;
    private readonly int _count;
    private readonly ulong _seed;
    private readonly int[][] _rowsByClass;

    /// <param name="strategy">Which sample comes next.</param>
    /// <param name="labels">Class of each row.</param>
    /// <param name="seed">The data seed.</param>
    public EpochOrder(TrainSamplingStrategy strategy, IReadOnlyList<long> labels, long seed)
    {
        (_strategy, _count, _seed) = (strategy, labels.Count, (ulong)seed);
        _rowsByClass = strategy == TrainSamplingStrategy.Balanced
            ? [.. Enumerable.Range(0, labels.Count).GroupBy(row => labels[row]).OrderBy(g => g.Key).Select(g => g.ToArray())]
            : [];
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
                for (var i = 0; i < _count; i++)
                {
                    var rows = _rowsByClass[rng.NextInt32(0, _rowsByClass.Length)];
                    order[i] = rows[rng.NextInt32(0, rows.Length)];
                }

                break;
        }

        return order;
    }
}
