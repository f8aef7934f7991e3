using Microsoft.Extensions.Logging;
using Vizsla.Hub.Cache;

namespace Vizsla.Hub.Transfers;

/// <summary>Fetches the files of one commit.</summary>
/// <remarks>Source: huggingface_hub 2.x <c>snapshot_download</c>: one question for the commit, one listing per commit, then the files that are missing.</remarks>
internal sealed partial class SnapshotDownload(Listing listing, FileDownload files, HubOptions options, ILogger logger)
{
    /// <summary>Fetches.</summary>
    /// <returns>The folder: the commit's snapshot, or the user's own.</returns>
    public async Task<string> RunAsync(RepoId repo, string revision, SnapshotOptions snapshot, CancellationToken cancellationToken)
    {
        var cache = new RepoCache(options.CacheDirectory, repo);
        var local = snapshot.LocalDirectory is { } directory ? new LocalFolder(Path.GetFullPath(directory)) : null;
        var trees = local?.StateFolder ?? cache.Folder;
        if (local is null && !snapshot.Force && RepoCache.IsCommit(revision) && Missing(cache, trees, revision, snapshot) is { Count: 0 })
        {
            return cache.SnapshotFolder(revision);
        }

        string commit;
        try
        {
            if (snapshot.LocalFilesOnly)
            {
                throw NotCached(repo, revision, "only local files were asked for", null);
            }

            // With an answer at hand nobody waits for a Hub that is away.
            var retry = local is null && IsCached(cache, revision) ? RetryPolicy.Never : RetryPolicy.Repeatable;
            commit = (await listing.InfoAsync(repo, revision, retry, cancellationToken).ConfigureAwait(false)).Commit;
        }
        catch (HubException e) when (e.Kind is HubErrorKind.Connection or HubErrorKind.NotCached or HubErrorKind.ServerError or HubErrorKind.RateLimited)
        {
            return FallBack(repo, revision, snapshot, cache, local, e);
        }

        if (!RepoCache.IsCommit(commit))
        {
            throw new HubException(HubErrorKind.NotAHub, $"Could not fetch {repo.TypeName} '{repo.Id}' at '{revision}': the answer names no commit. Check HF_ENDPOINT.") { Repo = repo, Revision = revision };
        }

        var paths = await PathsAsync(repo, commit, trees, local, cancellationToken).ConfigureAwait(false);
        var wanted = Wanted(paths, snapshot);
        if (wanted.Count == 0 && paths.Count > 0)
        {
            LogNothing(repo, string.Join(", ", snapshot.AllowPatterns), string.Join(", ", snapshot.IgnorePatterns));
        }

        cache.SetReference(revision, commit);
        await FetchAsync(repo, commit, wanted, snapshot, cancellationToken).ConfigureAwait(false);
        return local?.Root ?? cache.SnapshotFolder(commit);
    }

    private async Task<IReadOnlyList<string>> PathsAsync(RepoId repo, string commit, string trees, LocalFolder? local, CancellationToken cancellationToken)
    {
        if (TreeCache.Read(trees, commit) is { } kept)
        {
            return kept;
        }

        var entries = new List<TreeEntry>();
        await foreach (var entry in listing.TreeAsync(repo, commit, "", recursive: true, cancellationToken).ConfigureAwait(false))
        {
            // One name that would leave the folder condemns the whole listing, before anything is written.
            RepoPath.Below(options.CacheDirectory, entry.Path, repo);
            entries.Add(entry);
        }

        local?.Prepare();
        TreeCache.Write(trees, commit, entries);
        return [.. entries.Where(e => !e.IsFolder).Select(e => e.Path)];
    }

    private async Task FetchAsync(RepoId repo, string commit, IReadOnlyList<string> paths, SnapshotOptions snapshot, CancellationToken cancellationToken)
    {
        var download = new DownloadOptions { Force = snapshot.Force, LocalDirectory = snapshot.LocalDirectory, Progress = snapshot.Progress };
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, snapshot.MaxWorkers), CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(paths, parallel, async (path, token) =>
        {
            _ = snapshot.LocalDirectory is null
                ? await files.ToCacheAsync(repo, path, commit, download, token).ConfigureAwait(false)
                : await files.ToFolderAsync(repo, path, commit, download, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private string FallBack(RepoId repo, string revision, SnapshotOptions snapshot, RepoCache cache, LocalFolder? local, HubException failure)
    {
        if (local is null && IsCached(cache, revision) && cache.Resolve(revision) is { } commit)
        {
            if (Missing(cache, cache.Folder, commit, snapshot) is { Count: > 0 } missing)
            {
                var names = string.Join(", ", missing.Take(3)) + (missing.Count > 3 ? $", ... ({missing.Count - 3} more)" : "");
                throw new HubException(HubErrorKind.IncompleteSnapshot, $"The cached snapshot of {repo.TypeName} '{repo.Id}' at '{revision}' lacks {missing.Count} files ({names}). {failure.Message}", failure) { Repo = repo, Revision = revision };
            }

            LogUsingCached(failure.Message, cache.SnapshotFolder(commit));
            return cache.SnapshotFolder(commit);
        }

        if (local is not null && Directory.Exists(local.Root) && Directory.EnumerateFileSystemEntries(local.Root).Any())
        {
            LogUsingCached(failure.Message, local.Root);
            return local.Root;
        }

        throw NotCached(repo, revision, failure.Message, failure);
    }

    private static List<string>? Missing(RepoCache cache, string trees, string commit, SnapshotOptions snapshot) =>
        TreeCache.Read(trees, commit) is { } paths ? [.. Wanted(paths, snapshot).Where(p => !File.Exists(cache.SnapshotPath(commit, p)))] : null;

    private static List<string> Wanted(IReadOnlyList<string> paths, SnapshotOptions snapshot)
    {
        var left = paths.Where(p => GlobPattern.Selects(p, snapshot.AllowPatterns, snapshot.IgnorePatterns)).ToList();
        return snapshot.Choose is { } choose ? [.. choose(left).Intersect(left)] : left;
    }

    private static bool IsCached(RepoCache cache, string revision) => cache.Resolve(revision) is { } commit && Directory.Exists(cache.SnapshotFolder(commit));

    private static HubException NotCached(RepoId repo, string revision, string why, Exception? cause) =>
        new(HubErrorKind.NotCached, $"No snapshot of {repo.TypeName} '{repo.Id}' at '{revision}' is cached, and the Hub could not be asked: {why}", cause) { Repo = repo, Revision = revision };

    [LoggerMessage(Level = LogLevel.Warning, Message = "No file of {Repo} matches allow_patterns [{Allow}] without ignore_patterns [{Ignore}].")]
    private partial void LogNothing(RepoId repo, string allow, string ignore);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Failure} Using '{Path}', which is here already.")]
    private partial void LogUsingCached(string failure, string path);
}
