using Vizsla.Datasets;
using Vizsla.Datasets.Storage;
using Vizsla.Imaging;
using Vizsla.Transforms;

namespace Vizsla;

/// <summary>Pictures with their labels and other columns, row by row; pictures are read when a row is asked for, never all at once.</summary>
/// <remarks>Every operation returns another dataset over the same rows; only <see cref="SetTransform"/> changes this one. Safe for reading from several threads. Source: <c>datasets.Dataset</c>.</remarks>
public sealed partial class ImageDataset
{
    private readonly Table _table;
    private readonly int[]? _rows;
    private readonly int _imageColumn;
    private readonly int _labelColumn;
    private readonly Lazy<string> _fingerprint;

    internal ImageDataset(Table table, int[]? rows = null, string? split = null)
    {
        _table = table;
        _rows = rows;
        Split = split;
        _imageColumn = Features.ImageColumn is { } image ? Features.IndexOf(image) : -1;
        _labelColumn = Features.LabelColumn is { } label ? Features.IndexOf(label) : -1;
        _fingerprint = new(ComputeFingerprint);
    }

    /// <summary>Number of rows.</summary>
    public int Count => _rows?.Length ?? _table.Count;

    /// <summary>The columns and their types.</summary>
    public Features Features => _table.Features;

    /// <summary>Name of the split these rows came from (<c>train</c>, <c>validation</c>, <c>test</c>), or null.</summary>
    public string? Split { get; }

    /// <summary>Name on the Hub of the dataset that these rows came from; null for others.</summary>
    public string? HubName { get; private init; }

    /// <summary>Names of the classes in the order of their numbers; empty without a label column.</summary>
    public IReadOnlyList<string> ClassNames => Features.ClassLabel?.Names ?? (IReadOnlyList<string>)[];

    /// <summary>16 hexadecimal digits that tell this content from another: columns, classes, rows, their order; not the folder it lies in.</summary>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>What turns a picture into the model's input when a batch is loaded; null leaves it to the loader.</summary>
    public Compose? Transform { get; private set; }

    /// <summary>Picture and label of a row; the picture is not decoded.</summary>
    /// <param name="row">From 0 to Count - 1.</param>
    /// <exception cref="DatasetException">The dataset has no picture column, or the row has no picture.</exception>
    public ImageSource this[int row]
    {
        get
        {
            if (_imageColumn < 0)
            {
                throw new DatasetException($"The dataset has no picture column. Columns: {string.Join(", ", Features.Names)}.");
            }

            var stored = StoredRow(row);
            var source = _table.Value(stored, _imageColumn) as ImageSource ?? throw new DatasetException(Invariant($"Row {row} has no picture."));
            return _labelColumn >= 0 && _table.Value(stored, _labelColumn) is long and >= 0 and var label ? source with { Label = LabelIn(label, row) } : source;
        }
    }

    /// <summary>Class number of a row.</summary>
    /// <param name="row">From 0 to Count - 1.</param>
    /// <exception cref="DatasetException">The dataset has no label column, or the row's label is missing.</exception>
    public int Label(int row) => _labelColumn < 0
        ? throw new DatasetException($"The dataset has no label column. Columns: {string.Join(", ", Features.Names)}.")
        : _table.Value(StoredRow(row), _labelColumn) is long and >= 0 and var label
            ? LabelIn(label, row)
            : throw new DatasetException(Invariant($"Row {row} ('{this[row].Name}') has no label."));

    /// <summary>Decodes the picture of a row to RGB, turned upright as its EXIF orientation says.</summary>
    /// <param name="row">From 0 to Count - 1.</param>
    /// <param name="options">How to decode; null takes <see cref="DecodeOptions.Default"/>.</param>
    /// <returns>The picture; the caller owns it.</returns>
    /// <exception cref="DatasetException">The row has no picture.</exception>
    /// <exception cref="ImageFormatException">The file is not a picture or is broken; names it.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public Image LoadImage(int row, DecodeOptions? options = null)
    {
        var source = this[row];
        if (source.IsFile)
        {
            return ImageCodec.Load(source.Name, options);
        }

        try
        {
            return ImageCodec.Decode(source.ReadBytes().Span, options);
        }
        catch (ImageFormatException e)
        {
            throw new ImageFormatException(e.Reason, source.Name, e.InnerException);
        }
    }

    /// <summary>Value of one cell: <see cref="ImageSource"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/>, a list, a dictionary, or null.</summary>
    /// <param name="row">From 0 to Count - 1.</param>
    /// <param name="column">Name of the column.</param>
    /// <exception cref="DatasetException">No such column.</exception>
    public object? Value(int row, string column) => _table.Value(StoredRow(row), Features.RequireIndex(column));

    /// <summary>All cells of a row by column name.</summary>
    /// <param name="row">From 0 to Count - 1.</param>
    public IReadOnlyDictionary<string, object?> Row(int row)
    {
        var stored = StoredRow(row);
        var cells = new Dictionary<string, object?>(Features.Count, StringComparer.Ordinal);
        for (var column = 0; column < Features.Count; column++)
        {
            cells.Add(Features[column].Key, _table.Value(stored, column));
        }

        return cells;
    }

    /// <summary>Sets the transform that is applied whenever a batch of these rows is loaded, anew in every epoch.</summary>
    /// <param name="transform">The pipeline; null removes it.</param>
    /// <remarks>Source: <c>Dataset.set_transform</c>. Datasets made before by <see cref="Select"/> and the like keep theirs; the fingerprint stays.</remarks>
    public void SetTransform(Compose? transform) => Transform = transform;

    /// <summary>The same rows with a transform that is applied whenever a batch is loaded, anew in every epoch.</summary>
    /// <param name="transform">The pipeline; null removes it.</param>
    /// <remarks>Source: <c>Dataset.with_transform</c>; the fingerprint stays.</remarks>
    public ImageDataset WithTransform(Compose? transform) => new(_table, _rows, Split) { Transform = transform, HubName = HubName };

    /// <summary>The same rows, known to come from a dataset on the Hub.</summary>
    internal ImageDataset Of(string hubName) => new(_table, _rows, Split) { Transform = Transform, HubName = hubName };

    private int LabelIn(long label, int row) => label < ClassNames.Count
        ? (int)label
        : throw new DatasetException(Invariant($"Row {row} has the label {label}, but the {ClassNames.Count} classes are numbered 0 to {ClassNames.Count - 1}."));

    private int StoredRow(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return _rows is null ? row : _rows[row];
    }

    private string ComputeFingerprint()
    {
        using var hash = new Fingerprint();
        foreach (var (name, feature) in Features)
        {
            hash.Add(name);
            hash.Add(feature.ToString());
        }

        foreach (var name in ClassNames)
        {
            hash.Add(name);
        }

        _table.AddTo(hash);
        foreach (var row in _rows ?? [])
        {
            hash.Add(row);
        }

        return hash.Finish();
    }
}
