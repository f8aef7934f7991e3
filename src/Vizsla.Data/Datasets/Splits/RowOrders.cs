using Vizsla.Primitives;

namespace Vizsla.Datasets.Splits;

/// <summary>Orders of rows that several datasets take part in.</summary>
internal static class RowOrders
{
    private const int DrawsAtOnce = 1000;

    /// <summary>Rows of datasets joined one after the other, taken by turns or at random.</summary>
    /// <remarks>Source: datasets <c>_interleave_map_style_datasets</c>. Parity: exact.</remarks>
    public static List<int> Interleave(int[] sizes, IReadOnlyList<double>? probabilities, ulong seed, bool untilAllExhausted)
    {
        var starts = new int[sizes.Length];
        for (var i = 1; i < sizes.Length; i++)
        {
            starts[i] = starts[i - 1] + sizes[i - 1];
        }

        if (probabilities is not null)
        {
            return Draw(sizes, starts, [.. probabilities], new NumpyGenerator(seed), untilAllExhausted);
        }

        var rounds = untilAllExhausted ? sizes.Max() : sizes.Min();
        return [.. Enumerable.Range(0, rounds).SelectMany(round => sizes.Select((size, i) => starts[i] + (round % size)))];
    }

    private static List<int> Draw(int[] sizes, int[] starts, double[] probabilities, NumpyGenerator rng, bool untilAllExhausted)
    {
        var next = new int[sizes.Length];
        var exhausted = new bool[sizes.Length];
        var order = new List<int>();
        while (true)
        {
            foreach (var source in rng.ChooseWeighted(probabilities, DrawsAtOnce))
            {
                if (untilAllExhausted ? exhausted.All(e => e) : exhausted.Any(e => e))
                {
                    return order;
                }

                order.Add(starts[source] + next[source]);
                next[source]++;
                if (next[source] == sizes[source])
                {
                    exhausted[source] = true;
                    next[source] = 0;
                }
            }
        }
    }
}
