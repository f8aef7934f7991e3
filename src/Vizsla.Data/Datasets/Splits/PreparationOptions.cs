namespace Vizsla.Datasets.Splits;

/// <summary>What to do with rows that cannot be used.</summary>
public enum BadRows
{
    /// <summary>List them all and stop.</summary>
    Error,

    /// <summary>Leave them out and count them.</summary>
    Skip,
}

/// <summary>How pictures get into the output folder.</summary>
public enum FileTransfer
{
    /// <summary>Copied.</summary>
    Copy,

    /// <summary>Hard links: no space taken, same disk needed.</summary>
    Hard,

    /// <summary>Symbolic links to the sources, which must stay where they are.</summary>
    Symbolic,
}

/// <summary>What <see cref="DatasetPreparation"/> is asked for; one property per option of <c>vizsla prepare</c>.</summary>
public sealed record PreparationOptions
{
    /// <summary>Folder of the pictures: flat with a label file, or one folder per class.</summary>
    public required string Images { get; init; }

    /// <summary>Folder to make.</summary>
    public required string Output { get; init; }

    /// <summary>CSV of ids and labels; null takes <c>labels.csv</c> in <see cref="Images"/> where there is one, else class folders.</summary>
    public string? Labels { get; init; }

    /// <summary>CSV of <c>file,split,label</c> that fixes the split of each file below <see cref="Images"/>; null splits at random.</summary>
    public string? SplitFile { get; init; }

    /// <summary>Column of the ids in the label file; default <c>id</c>.</summary>
    public string IdColumn { get; init; } = "id";

    /// <summary>Column of the labels in the label file; default <c>breed</c>.</summary>
    public string LabelColumn { get; init; } = "breed";

    /// <summary>Size of the test split; default 0.2, null for none.</summary>
    public SplitSize? TestSize { get; init; } = 0.2;

    /// <summary>Size of the validation split, of what the test split leaves; default 0.1, null for none.</summary>
    public SplitSize? ValidationSize { get; init; } = 0.1;

    /// <summary>Seed of both splits; default 13.</summary>
    public uint Seed { get; init; } = 13;

    /// <summary>Whether each split has its share of each class; default true.</summary>
    public bool Stratify { get; init; } = true;

    /// <summary>
    /// Whether pictures of the same content or look go into the same split; default false. Sizes and shares then count each picture once however many copies it has,
    /// and without copies the split is the one that is made without this option.
    /// </summary>
    public bool GroupDuplicates { get; init; }

    /// <summary>Rows whose picture is missing; default <see cref="BadRows.Error"/>.</summary>
    public BadRows Missing { get; init; }

    /// <summary>Pictures that cannot be read whole; default <see cref="BadRows.Error"/>.</summary>
    public BadRows BadImages { get; init; }

    /// <summary>How pictures get into the output; default <see cref="FileTransfer.Copy"/>.</summary>
    public FileTransfer Transfer { get; init; }

    /// <summary>Whether an output folder made before may be replaced: what its <c>split.json</c> lists, nothing else; default false.</summary>
    public bool Overwrite { get; init; }
}
