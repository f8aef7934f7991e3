using Vizsla.Primitives;

namespace Vizsla.Datasets;

/// <summary>Orders cell values of one column: numbers by size, text by code points, false before true.</summary>
internal sealed class ValueComparer : IComparer<object?>
{
    private ValueComparer()
    {
    }

    public static ValueComparer Instance { get; } = new();

    public int Compare(object? x, object? y) => (x, y) switch
    {
        (null, null) => 0,
        (null, _) => 1,
        (_, null) => -1,
        (string a, string b) => CodePointComparer.Instance.Compare(a, b),
        (IComparable a, _) => a.CompareTo(y),
        _ => throw new DatasetException($"Values of type {x.GetType().Name} have no order to sort by."),
    };
}
