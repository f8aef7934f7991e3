using Vizsla.Datasets;
using Vizsla.Datasets.Storage;
using Vizsla.Primitives;

namespace Vizsla;

/// <summary>Makes datasets from sequences of anything.</summary>
public static class ImageDatasetBuilder
{
    /// <summary>Starts a dataset with one row for each item.</summary>
    /// <param name="items">The items, read once.</param>
    public static ImageDatasetBuilder<T> From<T>(IEnumerable<T> items) => new([.. items]);
}

/// <summary>Collects the columns of a dataset; see <see cref="ImageDatasetBuilder.From{T}"/>.</summary>
/// <typeparam name="T">What each row is made from.</typeparam>
/// <remarks>Source: <c>Dataset.from_list</c> with <c>Features</c>.</remarks>
public sealed class ImageDatasetBuilder<T>
{
    private readonly IReadOnlyList<T> _items;
    private readonly List<(string Name, Feature Type, object?[] Values)> _columns = [];

    internal ImageDatasetBuilder(IReadOnlyList<T> items) => _items = items;

    /// <summary>Adds the column <c>image</c>.</summary>
    /// <param name="picture">A path, the bytes of a file, an <see cref="Imaging.Image"/> (stored as PNG) or an <see cref="ImageSource"/>; null for a row without one.</param>
    public ImageDatasetBuilder<T> WithImage(Func<T, object?> picture) => With("image", picture, new ImageFeature());

    /// <summary>Adds the column <c>label</c> of classes.</summary>
    /// <param name="name">Name of the class of an item.</param>
    /// <param name="names">Classes in the order of their numbers; null takes the names that occur, sorted.</param>
    /// <exception cref="DatasetException">A name is not among <paramref name="names"/>.</exception>
    public ImageDatasetBuilder<T> WithLabel(Func<T, string> name, IReadOnlyList<string>? names = null) =>
        With("label", name, new ClassLabel(names is null ? LabelSet.Sorted(_items.Select(name)) : new LabelSet(names)));

    /// <summary>Adds another column.</summary>
    /// <param name="name">A name that no column has.</param>
    /// <param name="value">Value of an item.</param>
    /// <param name="type">Type of the column; null takes it from the first value.</param>
    /// <exception cref="DatasetException">A value does not fit the type.</exception>
    public ImageDatasetBuilder<T> With(string name, Func<T, object?> value, Feature? type = null)
    {
        ArgumentNullException.ThrowIfNull(value);
        object?[] values = [.. _items.Select(value)];
        var known = type ?? values.Select(FeatureValues.Infer).FirstOrDefault(t => t is not null) ?? new ValueFeature("null");
        _columns.Add((name, known, [.. values.Select(v => FeatureValues.Encode(v, known))]));
        return this;
    }

    /// <summary>The dataset.</summary>
    /// <param name="split">Name of the split; null for none.</param>
    public ImageDataset Build(string? split = null) =>
        new(new MemoryTable(new Features(_columns.Select(c => KeyValuePair.Create(c.Name, c.Type))), [.. _columns.Select(c => c.Values)]), split: split);
}
