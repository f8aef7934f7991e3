using System.Globalization;

namespace Vizsla.Datasets.Storage;

/// <summary>Rows as they are stored, before selection: what a dataset is a view of. Safe for reading from several threads.</summary>
internal abstract class Table(Features features)
{
    public Features Features { get; } = features;

    public abstract int Count { get; }

    /// <summary>Value of one cell: <see cref="ImageSource"/>, number, text, list, dictionary or null.</summary>
    /// <param name="row">From 0 to Count - 1.</param>
    /// <param name="column">Position in <see cref="Features"/>.</param>
    public abstract object? Value(int row, int column);

    /// <summary>Adds to <paramref name="hash"/> what tells this table from another without reading pictures.</summary>
    public abstract void AddTo(Fingerprint hash);
}

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
