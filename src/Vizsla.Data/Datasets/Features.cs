using System.Collections;

namespace Vizsla.Datasets;

/// <summary>The columns of a dataset in order, with their types.</summary>
/// <remarks>Source: <c>datasets.Features</c>. Equal when names, order and types are.</remarks>
public sealed class Features : IReadOnlyList<KeyValuePair<string, Feature>>, IEquatable<Features>
{
    private readonly KeyValuePair<string, Feature>[] _columns;

    /// <summary>Makes the features.</summary>
    /// <param name="columns">Name and type of each column in order, no name twice.</param>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public Features(params IEnumerable<KeyValuePair<string, Feature>> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        _columns = [.. columns];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, _) in _columns)
        {
            if (!seen.Add(name))
            {
                throw new ArgumentException($"Column names must differ, but '{name}' is there twice.", nameof(columns));
            }
        }

        Names = [.. _columns.Select(c => c.Key)];
        ImageColumn = Prefer<ImageFeature>("image");
        LabelColumn = Prefer<ClassLabel>("label");
    }

    /// <summary>The usual columns: <c>image</c>, and <c>label</c> where names are given.</summary>
    /// <param name="label">The classes, or null for pictures without labels.</param>
    public static Features ForImages(ClassLabel? label) => label is null
        ? new(KeyValuePair.Create<string, Feature>("image", new ImageFeature()))
        : new(KeyValuePair.Create<string, Feature>("image", new ImageFeature()), KeyValuePair.Create<string, Feature>("label", label));

    /// <summary>Names of the columns in order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Number of columns.</summary>
    public int Count => _columns.Length;

    /// <summary>Column that holds the pictures: <c>image</c>, else the first picture column, else null.</summary>
    public string? ImageColumn { get; }

    /// <summary>Column that holds the class numbers: <c>label</c>, else the first class column, else null.</summary>
    public string? LabelColumn { get; }

    /// <summary>The classes of <see cref="LabelColumn"/>, or null without one.</summary>
    public ClassLabel? ClassLabel => LabelColumn is null ? null : (ClassLabel)this[LabelColumn];

    /// <summary>Column by position.</summary>
    /// <param name="index">From 0 to Count - 1.</param>
    public KeyValuePair<string, Feature> this[int index] => _columns[index];

    /// <summary>Type of a column.</summary>
    /// <param name="name">Name of the column.</param>
    /// <exception cref="DatasetException">No such column.</exception>
    public Feature this[string name] => _columns[RequireIndex(name)].Value;

    /// <summary>Position of a column, or -1.</summary>
    /// <param name="name">Name of the column.</param>
    public int IndexOf(string name) => Array.FindIndex(_columns, c => c.Key == name);

    /// <summary>The same columns with one replaced or added at the end.</summary>
    /// <param name="name">Name of the column.</param>
    /// <param name="feature">Its type.</param>
    public Features With(string name, Feature feature) => IndexOf(name) < 0
        ? new(_columns.Append(KeyValuePair.Create(name, feature)))
        : new(_columns.Select(c => c.Key == name ? KeyValuePair.Create(name, feature) : c));

    /// <inheritdoc/>
    public bool Equals(Features? other) => other is not null && _columns.AsSpan().SequenceEqual(other._columns);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Features);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var column in _columns)
        {
            hash.Add(column);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, Feature>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, Feature>>)_columns).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal int RequireIndex(string name)
    {
        var index = IndexOf(name);
        return index >= 0 ? index : throw new DatasetException($"The dataset has no column '{name}'. Columns: {string.Join(", ", Names)}.");
    }

    private string? Prefer<T>(string name)
        where T : Feature
    {
        var found = _columns.FirstOrDefault(c => c.Key == name && c.Value is T);
        found = found.Key is null ? _columns.FirstOrDefault(c => c.Value is T) : found;
        return found.Key;
    }
}
