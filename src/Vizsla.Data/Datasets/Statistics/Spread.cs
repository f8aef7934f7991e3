namespace Vizsla.Datasets.Statistics;

/// <summary>How far numbers are apart.</summary>
/// <param name="Min">The smallest; 0 where there are no numbers.</param>
/// <param name="Median">The one in the middle, the lower of two.</param>
/// <param name="Max">The largest.</param>
public sealed record Spread(int Min, int Median, int Max)
{
    /// <summary>Measures numbers.</summary>
    /// <param name="values">The numbers.</param>
    public static Spread Of(IEnumerable<int> values)
    {
        int[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? new(0, 0, 0) : new(sorted[0], sorted[(sorted.Length - 1) / 2], sorted[^1]);
    }
}
