using System.Text.RegularExpressions;

namespace Vizsla.Hub.Cache;

/// <summary>One repository's folder in the cache: refs, snapshots, blobs, files known to be absent.</summary>
/// <remarks>Source: huggingface_hub <c>file_download.py</c>; the same names, so that either side uses what the other has fetched.</remarks>
internal sealed partial class RepoCache
{
    private readonly string _cache;
    private readonly RepoId _repo;

    public RepoCache(string cache, RepoId repo)
    {
        _cache = cache;
        _repo = repo;
        Folder = Path.Combine(cache, repo.FolderName);
    }

    /// <summary>The repository's folder.</summary>
    public string Folder { get; }

    /// <summary>Whether a revision is a whole commit id, which never changes its meaning.</summary>
    public static bool IsCommit(string revision) => Commit().IsMatch(revision);

    /// <summary>Whether an ETag is the SHA-256 of the content.</summary>
    public static bool IsSha256(string etag) => Sha256().IsMatch(etag);

    /// <summary>Whether an ETag can name a blob.</summary>
    public static bool IsBlobName(string etag) => BlobName().IsMatch(etag) && etag is not ("." or "..");

    /// <summary>Where a file of a commit is found.</summary>
    public string SnapshotPath(string commit, string path) => RepoPath.Below(SnapshotFolder(commit), path, _repo);

    /// <summary>The folder of a commit's files.</summary>
    public string SnapshotFolder(string commit) => Path.Combine(Folder, "snapshots", commit);

    /// <summary>Where a content lies.</summary>
    public string BlobPath(string etag) => Path.Combine(Folder, "blobs", etag);

    /// <summary>The lock of a content.</summary>
    public string LockPath(string etag) => Path.Combine(_cache, ".locks", _repo.FolderName, etag + ".lock");

    /// <summary>The commit that a revision last stood for; null when it was never asked for.</summary>
    public string? Resolve(string revision)
    {
        if (IsCommit(revision))
        {
            return revision;
        }

        var reference = ReferencePath(revision);
        return File.Exists(reference) && File.ReadAllText(reference).Trim() is var commit && IsCommit(commit) ? commit : null;
    }

    /// <summary>Remembers which commit a revision stands for.</summary>
    public void SetReference(string revision, string commit)
    {
        if (revision != commit && Resolve(revision) != commit)
        {
            AtomicFile.Write(ReferencePath(revision), commit);
        }
    }

    /// <summary>Remembers that a commit lacks a file.</summary>
    public void SetAbsent(string commit, string path)
    {
        var marker = AbsentPath(commit, path);
        Directory.CreateDirectory(Path.GetDirectoryName(marker)!);
        using var stream = new FileStream(marker, FileMode.OpenOrCreate);
    }

    /// <summary>What is known of a file at a revision without asking.</summary>
    public CachedFile Find(string revision, string path)
    {
        if (Resolve(revision) is not { } commit)
        {
            return new(null, false);
        }

        if (File.Exists(AbsentPath(commit, path)))
        {
            return new(null, true);
        }

        var file = SnapshotPath(commit, path);
        return new(File.Exists(file) ? file : null, false);
    }

    /// <summary>Makes a blob visible in a snapshot: a relative link, or the file itself where links are not allowed.</summary>
    /// <param name="etag">The blob.</param>
    /// <param name="pointer">The path in the snapshot.</param>
    /// <param name="isNew">True when nothing else can hold a link to the blob, so that it may be moved instead of copied.</param>
    /// <param name="link">False to do without links.</param>
    public void Place(string etag, string pointer, bool isNew, bool link)
    {
        var blob = BlobPath(etag);
        Directory.CreateDirectory(Path.GetDirectoryName(pointer)!);
        if (link && TryLink(pointer, Path.GetRelativePath(Path.GetDirectoryName(pointer)!, blob)))
        {
            return;
        }

        if (isNew)
        {
            File.Move(blob, pointer, overwrite: true);
            return;
        }

        var temporary = $"{pointer}.{Guid.NewGuid().ToString("N")[..8]}.incomplete";
        File.Copy(blob, temporary);
        File.Move(temporary, pointer, overwrite: true);
    }

    private static bool TryLink(string pointer, string target)
    {
        var temporary = $"{pointer}.{Guid.NewGuid().ToString("N")[..8]}.link";
        try
        {
            File.CreateSymbolicLink(temporary, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return false;
        }

        File.Move(temporary, pointer, overwrite: true);
        return true;
    }

    private string ReferencePath(string revision) => RepoPath.Below(Path.Combine(Folder, "refs"), revision, _repo);

    private string AbsentPath(string commit, string path) => RepoPath.Below(Path.Combine(Folder, ".no_exist", commit), path, _repo);

    [GeneratedRegex(@"^[0-9a-f]{40}\z")]
    private static partial Regex Commit();

    [GeneratedRegex(@"^[0-9a-f]{64}\z")]
    private static partial Regex Sha256();

    [GeneratedRegex(@"^[0-9A-Za-z_.\-]{1,200}\z")]
    private static partial Regex BlobName();
}
