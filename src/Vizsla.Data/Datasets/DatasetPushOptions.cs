using Vizsla.Hub;

namespace Vizsla.Datasets;

/// <summary>How to push a dataset to a Hub.</summary>
/// <remarks>Source: the arguments of <c>push_to_hub</c>, with its defaults.</remarks>
public sealed record DatasetPushOptions
{
    /// <summary>Name of the configuration; default <c>default</c>, whose files lie in <c>data/</c>.</summary>
    public string ConfigName { get; init; } = "default";

    /// <summary>Whether the configuration becomes the one that is taken where none is named; default false.</summary>
    public bool SetDefault { get; init; }

    /// <summary>Folder of the files in the repository; null takes <c>data</c>, or the configuration's name.</summary>
    public string? DataDir { get; init; }

    /// <summary>Whether a repository that is made is private; null leaves it to the Hub. One that is there stays as it is.</summary>
    public bool? Private { get; init; }

    /// <summary>Branch; null takes <c>main</c>, another is created if missing.</summary>
    public string? Revision { get; init; }

    /// <summary>Whether to open a pull request instead of committing; default false.</summary>
    public bool CreatePullRequest { get; init; }

    /// <summary>Title of the commit; default <c>Upload dataset</c>.</summary>
    public string CommitMessage { get; init; } = "Upload dataset";

    /// <summary>Text below the title; default empty.</summary>
    public string CommitDescription { get; init; } = "";

    /// <summary>Largest size of a file's rows in memory, such as <c>500MB</c>, the default.</summary>
    public string MaxShardSize { get; init; } = "500MB";

    /// <summary>Number of files of each split; null makes as many as <see cref="MaxShardSize"/> asks for.</summary>
    public IReadOnlyDictionary<string, int>? ShardCounts { get; init; }

    /// <summary>Whether pictures on disk go into the files; default true.</summary>
    public bool EmbedPictures { get; init; } = true;

    /// <summary>Told as bytes leave, from several threads; may be null.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}
