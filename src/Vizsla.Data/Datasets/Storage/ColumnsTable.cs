namespace Vizsla.Datasets.Storage;

/// <summary>Columns of another table under new names and types, and columns of its own.</summary>
internal sealed class ColumnsTable : Table
{
    private readonly Table _inner;
    private readonly Column[] _columns;

    /// <param name="inner">The other table.</param>
    /// <param name="columns">Each column: its name and type, and its values or the position of the inner column it shows.</param>
    public ColumnsTable(Table inner, params IReadOnlyList<Column> columns)
        : base(new Features(columns.Select(c => KeyValuePair.Create(c.Name, c.Type))))
    {
        (_inner, _columns) = (inner, [.. columns]);
    }

    public override int Count => _inner.Count;

    public override object? Value(int row, int column) =>
        _columns[column] is { Values: { } values } ? values[row]
        : _columns[column].Convert is { } convert ? convert(_inner.Value(row, _columns[column].Inner))
        : _inner.Value(row, _columns[column].Inner);

    public override void AddTo(Fingerprint hash)
    {
        _inner.AddTo(hash);
        foreach (var column in _columns)
        {
            hash.Add(column.Inner);
            foreach (var value in column.Values ?? [])
            {
                hash.AddValue(value);
            }
        }
    }

    /// <summary>One column: of the inner table where <paramref name="Values"/> is null, each value changed by <paramref name="Convert"/> when it is read.</summary>
    internal sealed record Column(string Name, Feature Type, int Inner, object?[]? Values = null, Func<object?, object?>? Convert = null);
}
