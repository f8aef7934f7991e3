namespace Vizsla.Hub;

/// <summary>Which files of a repository to fetch, and how.</summary>
public sealed record SnapshotOptions
{
    /// <summary>Shell patterns over whole paths, <c>*</c> crossing slashes; a pattern ending in <c>/</c> means the folder. Empty takes all. HF: <c>allow_patterns</c>.</summary>
    public IReadOnlyList<string> AllowPatterns { get; init; } = [];

    /// <summary>Patterns of what to leave out. HF: <c>ignore_patterns</c>.</summary>
    public IReadOnlyList<string> IgnorePatterns { get; init; } = [];

    /// <summary>Chooses among the files that the patterns leave, given the paths of them all; null takes them all.</summary>
    public Func<IReadOnlyList<string>, IEnumerable<string>>? Choose { get; init; }

    /// <summary>Files fetched at the same time, 1 or more. Default 8; HF: <c>max_workers</c>.</summary>
    public int MaxWorkers { get; init; } = 8;

    /// <summary>True: fetch even what is cached. Default false.</summary>
    public bool Force { get; init; }

    /// <summary>True: only the cache answers. Default false.</summary>
    public bool LocalFilesOnly { get; init; }

    /// <summary>Folder to put the files into; null keeps them in the cache. HF: <c>local_dir</c>.</summary>
    public string? LocalDirectory { get; init; }

    /// <summary>Told as bytes arrive, from several threads; null tells nobody.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}
