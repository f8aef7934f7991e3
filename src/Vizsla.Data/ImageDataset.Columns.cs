using Vizsla.Datasets;
using Vizsla.Datasets.Storage;
using Vizsla.Primitives;

namespace Vizsla;

/// <content>Other columns, or rows chosen and made by their values.</content>
public sealed partial class ImageDataset
{
    /// <summary>The rows for which a condition holds.</summary>
    /// <param name="condition">Given the cells by column name; pictures are not decoded.</param>
    /// <remarks>Source: <c>Dataset.filter</c>.</remarks>
    public ImageDataset Filter(Func<IReadOnlyDictionary<string, object?>, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Select(Enumerable.Range(0, Count).Where(row => condition(Row(row))));
    }

    /// <summary>Every row changed or widened; a column that the function does not return stays as it is.</summary>
    /// <param name="function">Given the cells by column name, returns new cells: a path, bytes, an <see cref="Imaging.Image"/> or an <see cref="ImageSource"/> for a picture.</param>
    /// <param name="features">Types of the columns of the result; null keeps those of old columns and takes new ones from the values.</param>
    /// <exception cref="DatasetException">A value does not fit its column.</exception>
    /// <remarks>Computed at once and held in memory; for pictures prepared anew in every epoch see <see cref="SetTransform"/>. Source: <c>Dataset.map</c>.</remarks>
    public ImageDataset Map(Func<IReadOnlyDictionary<string, object?>, IReadOnlyDictionary<string, object?>> function, Features? features = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        var changed = Enumerable.Range(0, Count).Select(row => function(Row(row))).ToList();
        var names = features?.Names ?? [.. Features.Names.Concat(changed.SelectMany(c => c.Keys)).Distinct()];
        return WithColumns([.. names.Select(name =>
        {
            var old = Features.IndexOf(name);
            if (old >= 0 && features is null && !changed.Any(c => c.ContainsKey(name)))
            {
                return new ColumnsTable.Column(name, Features[old].Value, old);
            }

            object?[] values = [.. changed.Select((c, row) => c.TryGetValue(name, out var value) ? value : old >= 0 ? Value(row, name) : null)];
            var type = features?[name] ?? (old >= 0 && Fits(values, Features[old].Value) ? Features[old].Value : InferColumn(values));
            return new ColumnsTable.Column(name, type, -1, [.. values.Select(v => FeatureValues.Encode(v, type))]);
        })]);
    }

    /// <summary>The same values under another name.</summary>
    /// <param name="column">Name of a column.</param>
    /// <param name="newName">A name that no column has.</param>
    /// <exception cref="DatasetException">No such column, or the new name is taken.</exception>
    /// <remarks>Source: <c>Dataset.rename_column</c>.</remarks>
    public ImageDataset RenameColumn(string column, string newName)
    {
        var index = Features.RequireIndex(column);
        return Features.IndexOf(newName) < 0 || newName == column
            ? WithColumns([.. Old().Select((c, i) => i == index ? c with { Name = newName } : c)])
            : throw new DatasetException($"The dataset has a column '{newName}' already. Columns: {string.Join(", ", Features.Names)}.");
    }

    /// <summary>The dataset without some columns.</summary>
    /// <param name="columns">Names of columns.</param>
    /// <exception cref="DatasetException">No such column.</exception>
    /// <remarks>Source: <c>Dataset.remove_columns</c>.</remarks>
    public ImageDataset RemoveColumns(params IReadOnlyList<string> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        int[] removed = [.. columns.Select(Features.RequireIndex)];
        return WithColumns([.. Old().Where((_, i) => !removed.Contains(i))]);
    }

    /// <summary>The values of a column as another type: names as classes, classes as text, and so on.</summary>
    /// <param name="column">Name of a column.</param>
    /// <param name="type">The new type.</param>
    /// <exception cref="DatasetException">No such column, or a value does not fit.</exception>
    /// <remarks>Source: <c>Dataset.cast_column</c>.</remarks>
    public ImageDataset CastColumn(string column, Feature type)
    {
        var index = Features.RequireIndex(column);
        if (type is ImageFeature)
        {
            // Pictures are not held in memory for it.
            return WithColumns([.. Old().Select((c, i) => i == index ? c with { Type = type, Convert = value => FeatureValues.Encode(value, type) } : c)]);
        }

        object?[] values = [.. Enumerable.Range(0, Count).Select(row => FeatureValues.Encode(Value(row, column), type))];
        return WithColumns([.. Old().Select((c, i) => i == index ? c with { Type = type, Values = values } : c)]);
    }

    /// <summary>A column of names as a column of classes, numbered in sorted order.</summary>
    /// <param name="column">Name of a column of text.</param>
    /// <exception cref="DatasetException">No such column, or no value in it.</exception>
    /// <remarks>Source: <c>Dataset.class_encode_column</c>.</remarks>
    public ImageDataset ClassEncodeColumn(string column)
    {
        Features.RequireIndex(column);
        var names = Enumerable.Range(0, Count).Select(row => FeatureValues.Encode(Value(row, column), new ValueFeature("string")) as string).OfType<string>().ToList();
        return names.Count > 0
            ? CastColumn(column, new ClassLabel(LabelSet.Sorted(names)))
            : throw new DatasetException($"The column '{column}' has no values to make classes of.");
    }

    /// <summary>Number of rows of each class, in the order of their numbers, unused classes included.</summary>
    /// <param name="column">Class column; null takes the label column.</param>
    /// <exception cref="DatasetException">The column holds no classes.</exception>
    public IReadOnlyList<KeyValuePair<string, int>> ClassCounts(string? column = null)
    {
        var name = column ?? Features.LabelColumn ?? throw new DatasetException($"The dataset has no label column. Columns: {string.Join(", ", Features.Names)}.");
        var label = Features[name] as ClassLabel ?? throw new DatasetException($"The column '{name}' holds no classes.");
        var counts = new int[label.NumClasses];
        for (var row = 0; row < Count; row++)
        {
            if (Value(row, name) is long and >= 0 and var number && number < counts.Length)
            {
                counts[number]++;
            }
        }

        return [.. label.Names.Select((n, i) => KeyValuePair.Create(n, counts[i]))];
    }

    private static bool Fits(object?[] values, Feature type)
    {
        try
        {
            return values.All(v => v is null || FeatureValues.Encode(v, type) is not null);
        }
        catch (DatasetException)
        {
            return false;
        }
    }

    private static Feature InferColumn(object?[] values) => values.Select(FeatureValues.Infer).FirstOrDefault(t => t is not null) ?? new ValueFeature("null");

    private IEnumerable<ColumnsTable.Column> Old() => Features.Select((f, i) => new ColumnsTable.Column(f.Key, f.Value, i));

    // Own values are by row of this view, so the view becomes a table first.
    private ImageDataset WithColumns(IReadOnlyList<ColumnsTable.Column> columns)
    {
        var table = _rows is null ? _table : new JoinedTable(Features, [(_table, _rows)]);
        return new(new ColumnsTable(table, columns), split: Split) { Transform = Transform, HubName = HubName };
    }
}
