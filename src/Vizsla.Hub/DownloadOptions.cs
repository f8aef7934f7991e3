namespace Vizsla.Hub;

/// <summary>How to fetch one file.</summary>
public sealed record DownloadOptions
{
    /// <summary>True: fetch even what is cached. Default false; HF: <c>force_download</c>.</summary>
    public bool Force { get; init; }

    /// <summary>True: only the cache answers. Default false; HF: <c>local_files_only</c>.</summary>
    public bool LocalFilesOnly { get; init; }

    /// <summary>Folder to put the file into, under its path in the repository; null keeps it in the cache. HF: <c>local_dir</c>.</summary>
    public string? LocalDirectory { get; init; }

    /// <summary>Receives progress as bytes arrive, on the thread that reads them; null reports nothing.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}

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

    /// <summary>Receives progress as bytes arrive, from several threads; null reports nothing.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}

/// <summary>How far one file has come.</summary>
/// <param name="Path">Path in the repository.</param>
/// <param name="Done">Bytes moved, those of an earlier, resumed attempt included.</param>
/// <param name="Total">Bytes in all; null when the Hub has not said.</param>
public readonly record struct TransferProgress(string Path, long Done, long? Total);

/// <summary>What the cache knows of a file, without a request.</summary>
/// <param name="Path">Where it lies; null when it is not cached.</param>
/// <param name="IsKnownAbsent">True when the Hub has said that this revision lacks the file.</param>
/// <remarks>Source: huggingface_hub <c>try_to_load_from_cache</c>. Parity: exact.</remarks>
public readonly record struct CachedFile(string? Path, bool IsKnownAbsent);
