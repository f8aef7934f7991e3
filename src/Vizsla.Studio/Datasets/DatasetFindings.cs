namespace Vizsla.Studio.Datasets;

/// <summary>What a check of a dataset found.</summary>
/// <param name="Broken">Pictures that cannot be read, with the reason.</param>
/// <param name="Twins">Groups of rows with the same content.</param>
internal sealed record DatasetFindings(
    IReadOnlyList<(string Split, int Row, string Name, string Reason)> Broken,
    IReadOnlyList<IReadOnlyList<(string Split, int Row, string Name, string Label)>> Twins);
