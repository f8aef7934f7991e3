namespace Vizsla.Hub.Cache;

/// <summary>Contents of the cache, and how to free space.</summary>
/// <remarks>Source: huggingface_hub <c>scan_cache_dir</c>, <c>delete_revisions</c>.</remarks>
public sealed class HubCache
{
    private readonly string _root;

    /// <param name="options">Where the cache is.</param>
    public HubCache(HubOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _root = options.CacheDirectory;
    }

    /// <summary>All repositories, by name.</summary>
    public IReadOnlyList<CachedRepo> Scan() => !Directory.Exists(_root) ? [] :
    [
        .. Directory.EnumerateDirectories(_root)
            .Select(folder => (Folder: folder, Repo: RepoOf(Path.GetFileName(folder))))
            .Where(r => r.Repo is not null)
            .Select(r => new CachedRepo(r.Repo!, r.Folder, SizeOf(r.Folder), Revisions(r.Folder)))
            .OrderBy(r => r.Repo.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>Removes a repository, or one commit of it with the contents that no other commit uses.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">A commit, the beginning of one, a branch or a tag; null removes all of it.</param>
    /// <returns>Bytes freed.</returns>
    /// <exception cref="ArgumentException">The cache has no such repository or revision; the message lists what it has.</exception>
    public long Delete(RepoId repo, string? revision = null)
    {
        var cached = Scan().FirstOrDefault(r => r.Repo == repo) ?? throw new ArgumentException($"The cache '{_root}' has no {repo.TypeName} '{repo.Id}'. It has: {string.Join(", ", Scan().Select(r => r.Repo))}.", nameof(repo));
        if (revision is null || (cached.Revisions.Count == 1 && Match(cached, revision) is not null))
        {
            Directory.Delete(cached.Folder, recursive: true);
            return cached.Size;
        }

        var doomed = Match(cached, revision) ?? throw new ArgumentException($"The cache has no revision '{revision}' of '{repo.Id}'. It has: {string.Join(", ", cached.Revisions.SelectMany(r => r.References.Prepend(r.Commit[..8])))}.", nameof(revision));
        Directory.Delete(Path.Combine(cached.Folder, "snapshots", doomed.Commit), recursive: true);
        foreach (var reference in doomed.References)
        {
            File.Delete(Path.Combine(cached.Folder, "refs", reference));
        }

        if (Directory.Exists(Path.Combine(cached.Folder, "trees")))
        {
            File.Delete(Path.Combine(cached.Folder, "trees", doomed.Commit + ".json"));
        }

        RemoveUnused(cached.Folder);
        return cached.Size - SizeOf(cached.Folder);
    }

    private static CachedRevision? Match(CachedRepo repo, string revision) => repo.Revisions.FirstOrDefault(r =>
        r.References.Contains(revision) || (revision.Length >= 7 && r.Commit.StartsWith(revision, StringComparison.Ordinal)));

    private static void RemoveUnused(string folder)
    {
        var used = Files(Path.Combine(folder, "snapshots")).Select(f => f.ResolveLinkTarget(returnFinalTarget: true)?.Name).ToHashSet();
        foreach (var blob in Files(Path.Combine(folder, "blobs")).Where(b => !used.Contains(b.Name)))
        {
            blob.Delete();
        }
    }

    private static IReadOnlyList<CachedRevision> Revisions(string folder)
    {
        var references = Files(Path.Combine(folder, "refs"))
            .ToLookup(f => File.ReadAllText(f.FullName).Trim(), f => Path.GetRelativePath(Path.Combine(folder, "refs"), f.FullName).Replace(Path.DirectorySeparatorChar, '/'));
        var snapshots = Path.Combine(folder, "snapshots");
        return !Directory.Exists(snapshots) ? [] : [.. Directory.EnumerateDirectories(snapshots).Select(s => Revision(s, references)).OrderByDescending(r => r.LastModified)];
    }

    private static CachedRevision Revision(string snapshot, ILookup<string, string> references)
    {
        var files = Files(snapshot).Select(f => (FileInfo?)f.ResolveLinkTarget(returnFinalTarget: true) ?? f).Where(f => f.Exists).ToList();
        var commit = Path.GetFileName(snapshot);
        return new CachedRevision(commit, [.. references[commit]], files.Count, files.Sum(f => f.Length), files.Select(f => new DateTimeOffset(f.LastWriteTimeUtc)).DefaultIfEmpty().Max());
    }

    private static long SizeOf(string folder) => Files(folder).Where(f => f.LinkTarget is null).Sum(f => f.Length);

    private static IEnumerable<FileInfo> Files(string folder) => Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories) : [];

    private static RepoId? RepoOf(string folder) => folder.Split("--") switch
    {
        ["models", .. var name] when RepoId.TryParse(string.Join('/', name), RepoType.Model, out var repo) => repo,
        ["datasets", .. var name] when RepoId.TryParse(string.Join('/', name), RepoType.Dataset, out var repo) => repo,
        _ => null,
    };
}

/// <summary>A repository in the cache.</summary>
/// <param name="Repo">Its name.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Size">Bytes on disk, each content counted once.</param>
/// <param name="Revisions">Its commits, newest first.</param>
public sealed record CachedRepo(RepoId Repo, string Folder, long Size, IReadOnlyList<CachedRevision> Revisions);

/// <summary>A commit of a repository in the cache.</summary>
/// <param name="Commit">40 hexadecimal digits.</param>
/// <param name="References">Branches and tags that last stood for it.</param>
/// <param name="FileCount">Files.</param>
/// <param name="Size">Bytes of its files, those shared with other commits included.</param>
/// <param name="LastModified">When a file was last added.</param>
public sealed record CachedRevision(string Commit, IReadOnlyList<string> References, int FileCount, long Size, DateTimeOffset LastModified);
