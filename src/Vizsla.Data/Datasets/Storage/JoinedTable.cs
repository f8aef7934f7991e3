namespace Vizsla.Datasets.Storage;

/// <summary>Rows of several tables one after the other.</summary>
internal sealed class JoinedTable : Table
{
    private readonly (Table Table, int[]? Rows)[] _parts;
    private readonly int[] _starts;

    /// <param name="features">Columns of every part.</param>
    /// <param name="parts">Tables, each with the rows to take of it; null takes all.</param>
    public JoinedTable(Features features, IReadOnlyList<(Table Table, int[]? Rows)> parts)
        : base(features)
    {
        _parts = [.. parts];
        _starts = new int[_parts.Length + 1];
        for (var i = 0; i < _parts.Length; i++)
        {
            _starts[i + 1] = checked(_starts[i] + (_parts[i].Rows?.Length ?? _parts[i].Table.Count));
        }
    }

    public override int Count => _starts[^1];

    public override object? Value(int row, int column)
    {
        var at = Array.BinarySearch(_starts, row);
        var part = at < 0 ? ~at - 1 : at;
        while (_starts[part + 1] == row)
        {
            part++;
        }

        var (table, rows) = _parts[part];
        var local = row - _starts[part];
        return table.Value(rows is null ? local : rows[local], column);
    }

    public override void AddTo(Fingerprint hash)
    {
        foreach (var (table, rows) in _parts)
        {
            table.AddTo(hash);
            foreach (var row in rows ?? [])
            {
                hash.Add(row);
            }
        }
    }
}
