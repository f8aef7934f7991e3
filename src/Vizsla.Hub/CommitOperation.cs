namespace Vizsla.Hub;

/// <summary>One change of a commit.</summary>
/// <remarks>Source: huggingface_hub <c>CommitOperationAdd|Delete|Copy</c>.</remarks>
public abstract record CommitOperation
{
    private protected CommitOperation(string path)
    {
        Path = RepoPath.Normalize(path);
    }

    /// <summary>Path in the repository.</summary>
    public string Path { get; }
}

/// <summary>Adds or replaces a file.</summary>
public sealed record CommitAdd : CommitOperation
{
    private readonly byte[]? _bytes;

    /// <param name="path">Path in the repository.</param>
    /// <param name="file">The file to send, read when it is sent; it must not change until the commit is done.</param>
    /// <exception cref="ArgumentException">The path leaves the repository or lies in <c>.git</c>.</exception>
    public CommitAdd(string path, string file)
        : base(path)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        File = file;
    }

    /// <param name="path">Path in the repository.</param>
    /// <param name="bytes">The content; kept, not copied.</param>
    /// <exception cref="ArgumentException">The path leaves the repository or lies in <c>.git</c>.</exception>
    public CommitAdd(string path, byte[] bytes)
        : base(path)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        _bytes = bytes;
    }

    /// <summary>The file to send; null when the content is in memory.</summary>
    public string? File { get; }

    /// <summary>Opens the content for reading; the caller disposes the stream.</summary>
    public Stream Open() => _bytes is { } bytes
        ? new MemoryStream(bytes, writable: false)
        : new FileStream(File!, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, Options = FileOptions.Asynchronous | FileOptions.SequentialScan });

    /// <summary>Bytes of the content.</summary>
    public long Length => _bytes?.LongLength ?? (System.IO.File.ResolveLinkTarget(File!, returnFinalTarget: true) as FileInfo ?? new FileInfo(File!)).Length;
}

/// <summary>Removes a file, or a folder with all that is in it.</summary>
/// <param name="path">Path in the repository; a slash at the end means a folder.</param>
/// <exception cref="ArgumentException">The path leaves the repository or lies in <c>.git</c>.</exception>
public sealed record CommitDelete(string path) : CommitOperation(path.TrimEnd('/'))
{
    /// <summary>True for a folder.</summary>
    public bool IsFolder { get; init; } = path.EndsWith('/');

    /// <summary>Whether the path was given with a slash at its end; it is sent as given.</summary>
    internal bool HasSlash { get; } = path.EndsWith('/');
}

/// <summary>Copies a file inside the repository, large ones without moving a byte.</summary>
public sealed record CommitCopy : CommitOperation
{
    /// <param name="from">Path of the file to copy.</param>
    /// <param name="path">Path of the copy.</param>
    /// <exception cref="ArgumentException">A path leaves the repository or lies in <c>.git</c>.</exception>
    public CommitCopy(string from, string path)
        : base(path)
    {
        Source = RepoPath.Normalize(from);
    }

    /// <summary>Path of the file to copy.</summary>
    public string Source { get; }

    /// <summary>Where the file to copy is looked up; null means the commit's own revision.</summary>
    public string? SourceRevision { get; init; }
}

/// <summary>Adds a large file whose bytes the storage has already, as <see cref="HubClient.PreuploadAsync"/> leaves it.</summary>
public sealed record CommitLargeFile : CommitOperation
{
    /// <param name="path">Path in the repository.</param>
    /// <param name="sha256">Of the content, 64 hexadecimal digits.</param>
    /// <param name="size">Bytes of the content.</param>
    /// <exception cref="ArgumentException">The path leaves the repository or lies in <c>.git</c>, or the hash is none.</exception>
    public CommitLargeFile(string path, string sha256, long size)
        : base(path)
    {
        if (!Cache.RepoCache.IsSha256(sha256))
        {
            throw new ArgumentException($"'{sha256}' is not a SHA-256 in 64 lower-case hexadecimal digits.", nameof(sha256));
        }

        Sha256 = sha256;
        Size = size;
    }

    /// <summary>Of the content, 64 hexadecimal digits.</summary>
    public string Sha256 { get; }

    /// <summary>Bytes of the content.</summary>
    public long Size { get; }

    /// <summary>What the repository had at this path when the file was sent; null when nothing.</summary>
    internal string? Previous { get; init; }
}
