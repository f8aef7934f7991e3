namespace Vizsla;

/// <summary>Makes datasets from sequences of anything.</summary>
public static class ImageDatasetBuilder
{
    /// <summary>Starts a dataset with one row for each item.</summary>
    /// <param name="items">The items, read once.</param>
    public static ImageDatasetBuilder<T> From<T>(IEnumerable<T> items) => new([.. items]);
}
