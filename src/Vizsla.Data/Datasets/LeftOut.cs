namespace Vizsla.Datasets;

/// <summary>What lies beside a dataset's rows and is not in them, counted by reason.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Count">How many.</param>
/// <param name="Examples">Paths below the folder, or names of columns; three at most.</param>
public sealed record LeftOut(LeftOutReason Reason, int Count, IReadOnlyList<string> Examples)
{
    /// <summary>One sentence without its full stop, such as "3 photos have no extension: 'a', 'b', 'c'".</summary>
    public string Sentence
    {
        get
        {
            var (one, many) = Reason switch
            {
                LeftOutReason.UnknownExtension => ("photo has an extension that image folders do not take (rename it to .jpg or what it is)", "photos have extensions that image folders do not take (rename them to .jpg or what they are)"),
                LeftOutReason.NoExtension => ("photo has no extension", "photos have no extension"),
                LeftOutReason.UnreadFormat => ("photo is of a format that is not read here (convert it to JPEG or PNG)", "photos are of formats that are not read here (convert them to JPEG or PNG)"),
                LeftOutReason.Hidden => ("photo is hidden: a part of its path starts with '.' or '__'", "photos are hidden: a part of their paths starts with '.' or '__'"),
                LeftOutReason.NotListed => ("photo is named by no row of the metadata or Parquet files", "photos are named by no row of the metadata or Parquet files"),
                LeftOutReason.OutsideSplits => ("photo lies outside the folders and names that stand for splits", "photos lie outside the folders and names that stand for splits"),
                LeftOutReason.Deeper => ("photo lies deeper than the folders that are read", "photos lie deeper than the folders that are read"),
                LeftOutReason.BrokenLink => ("link leads nowhere", "links lead nowhere"),
                LeftOutReason.LinkedFolder => ("folder is a link and is not entered", "folders are links and are not entered"),
                LeftOutReason.EmptyFolder => ("folder holds no photo", "folders hold no photo"),
                _ => ("column is of a type that is not read", "columns are of types that are not read"),
            };
            return $"{Count} {(Count == 1 ? one : many)}: {string.Join(", ", Examples.Select(e => $"'{e}'"))}{(Count > Examples.Count ? ", ..." : "")}";
        }
    }
}

/// <summary>Why something is left out of a dataset.</summary>
public enum LeftOutReason
{
    /// <summary>The content is a picture; the extension is none that image folders take.</summary>
    UnknownExtension,

    /// <summary>The content is a picture; the name has no extension.</summary>
    NoExtension,

    /// <summary>HEIC, AVIF and others without a decoder.</summary>
    UnreadFormat,

    /// <summary>Below a folder, or under a name, that starts with <c>.</c> or <c>__</c>.</summary>
    Hidden,

    /// <summary>Not named by the metadata or Parquet files that list the pictures.</summary>
    NotListed,

    /// <summary>Beside the folders or names that make the splits.</summary>
    OutsideSplits,

    /// <summary>In a folder below those that are looked into.</summary>
    Deeper,

    /// <summary>A link without a target.</summary>
    BrokenLink,

    /// <summary>A link to a folder.</summary>
    LinkedFolder,

    /// <summary>A folder without a picture: a class that is not there.</summary>
    EmptyFolder,

    /// <summary>A column of Parquet of a type that is not read.</summary>
    Column,
}
