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

    /// <summary>What a folder of photos is; default <see cref="FolderRule.LoadDataset"/>.</summary>
    public FolderRule Rule { get; init; }

    /// <summary>Column that holds the pictures, where the files do not say so: paths, bytes, or the struct of both; null leaves the columns as the files have them.</summary>
    public string? ImageColumn { get; init; }

    /// <summary>Column that holds the labels, where the files do not say so: its values become classes, numbered in sorted order over all splits; null leaves the columns as the files have them.</summary>
    public string? LabelColumn { get; init; }
}

/// <summary>What a folder that holds photos is taken for.</summary>
public enum FolderRule
{
    /// <summary>What Python's <c>load_dataset(folder)</c> takes it for: the format of most of its files, extensions such as <c>.Jpg</c> left out.</summary>
    LoadDataset,

    /// <summary>An image folder, as <c>load_dataset("imagefolder", data_dir=folder)</c> takes it, whatever else lies there; a folder that holds Parquet files is read as those.</summary>
    ImageFolder,
}
