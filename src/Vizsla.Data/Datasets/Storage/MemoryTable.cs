using System.Globalization;

namespace Vizsla.Datasets.Storage;

/// <summary>Columns held in memory; pictures by path, or as bytes where the caller gave bytes.</summary>
internal sealed class MemoryTable : Table
{
    private readonly object?[][] _columns;

    public MemoryTable(Features features, object?[][] columns)
        : base(features)
    {
        if (columns.Length != features.Count || columns.Any(c => c.Length != columns[0].Length))
        {
            throw new ArgumentException($"{features.Count} columns of one length are needed, got lengths {string.Join(", ", columns.Select(c => c.Length))}.", nameof(columns));
        }

        _columns = columns;
        Count = columns.Length == 0 ? 0 : columns[0].Length;
    }

    public override int Count { get; }

    public override object? Value(int row, int column) => _columns[column][row];

    public override void AddTo(Fingerprint hash)
    {
        foreach (var column in _columns)
        {
            foreach (var value in column)
            {
                hash.AddValue(value);
            }
        }
    }
}
