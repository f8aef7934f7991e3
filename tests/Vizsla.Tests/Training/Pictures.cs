using Vizsla.Datasets;
using Vizsla.Datasets.Storage;

namespace Vizsla.Tests.Training;

/// <summary>Datasets for tests of training.</summary>
internal static class Pictures
{
    /// <summary>A dataset of files with their classes, row by row.</summary>
    public static ImageDataset OfFiles(IReadOnlyList<string> classes, IReadOnlyList<(string Path, int Label)> rows, string? split = null) => new(
        new MemoryTable(
            Features.ForImages(new ClassLabel(classes)),
            [[.. rows.Select(row => (object?)new ImageSource(row.Path))], [.. rows.Select(row => (object?)(long)row.Label)]]),
        split: split);
}
