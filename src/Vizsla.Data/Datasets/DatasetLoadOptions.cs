namespace Vizsla.Datasets;

/// <summary>How to load a dataset, beyond where it lies.</summary>
/// <remarks>Source: the arguments of <c>load_dataset</c>; null means what Python's <c>None</c> means.</remarks>
public sealed record DatasetLoadOptions
{
    /// <summary>Name of the configuration in the card; null takes the only one, or the default.</summary>
    public string? Name { get; init; }

    /// <summary>Folder below the dataset to load from; null takes the whole.</summary>
    public string? DataDir { get; init; }

    /// <summary>Patterns of files by split, such as <c>train</c> to <c>a/**</c>; null finds the splits by names.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? DataFiles { get; init; }

    /// <summary>True leaves out labels from folder names, false takes them even where folders are uneven, null decides by the folders.</summary>
    public bool? DropLabels { get; init; }

    /// <summary>True leaves <c>metadata.csv</c> and <c>metadata.jsonl</c> unread.</summary>
    public bool? DropMetadata { get; init; }
}
