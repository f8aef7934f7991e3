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

    /// <summary>Told as bytes arrive, from the thread that receives them; null tells nobody.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}
