using Vizsla.Primitives;

namespace Vizsla.Datasets.Readers;

/// <summary>The columns of pictures and labels that a user names where the files do not say which they are.</summary>
internal static class ChosenColumns
{
    /// <summary>Casts what is named; other columns of pictures or classes are left out, so that the named ones are the ones that count.</summary>
    /// <exception cref="DatasetException">There is no such column, or its values are no pictures or labels.</exception>
    public static DatasetDict Apply(DatasetDict splits, DatasetLoadOptions options)
    {
        if (options.ImageColumn is null && options.LabelColumn is null)
        {
            return splits;
        }

        var chosen = options.ImageColumn is { } image ? Each(splits, rows => Keep<ImageFeature>(Pictures(rows, image), image)) : splits;
        return options.LabelColumn is { } label ? Labels(chosen, label) : chosen;
    }

    private static ImageDataset Pictures(ImageDataset rows, string column) => rows.Features[rows.Features.RequireIndex(column)].Value is ImageFeature
        ? rows
        : rows.CastColumn(column, new ImageFeature());

    private static DatasetDict Labels(DatasetDict splits, string column)
    {
        if (splits.Features[splits.Features.RequireIndex(column)].Value is ClassLabel)
        {
            return Each(splits, rows => Keep<ClassLabel>(rows, column));
        }

        var text = new ValueFeature("string");
        var names = splits.Values.SelectMany(rows => Enumerable.Range(0, rows.Count).Select(row => Name(rows, row, column, text))).OfType<string>().ToHashSet(StringComparer.Ordinal);
        if (names.Count == 0)
        {
            throw new DatasetException($"The column '{column}' has no values to make classes of.");
        }

        var classes = new ClassLabel(LabelSet.Sorted(names));
        return Each(splits, rows => Keep<ClassLabel>(rows.CastColumn(column, text).CastColumn(column, classes), column));
    }

    private static string? Name(ImageDataset rows, int row, string column, Feature text) => rows.Value(row, column) switch
    {
        IReadOnlyList<object?> => throw new DatasetException(
            $"The column '{column}' holds several labels in each row, and a picture has one class here: training on several labels a picture is not supported. Give the name of a column with one label a row."),
        IReadOnlyDictionary<string, object?> or ImageSource => throw new DatasetException(
            $"The column '{column}' holds pictures or groups of values; a label is one text or number. Give the name of a column with one label a row."),
        var value => FeatureValues.Encode(value, text) as string,
    };

    private static ImageDataset Keep<T>(ImageDataset rows, string column)
        where T : Feature =>
        rows.RemoveColumns([.. rows.Features.Where(f => f.Value is T && f.Key != column).Select(f => f.Key)]);

    private static DatasetDict Each(DatasetDict splits, Func<ImageDataset, ImageDataset> change) => new(splits.Select(s => KeyValuePair.Create(s.Key, change(s.Value))));
}
