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
