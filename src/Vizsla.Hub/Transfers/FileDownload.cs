using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Vizsla.Hub.Cache;

namespace Vizsla.Hub.Transfers;

/// <summary>Fetches one file into the cache or a user's folder, unless it is there.</summary>
/// <remarks>Source: huggingface_hub <c>hf_hub_download</c>; the order of requests and of falling back on the cache is that of 2.x.</remarks>
internal sealed partial class FileDownload(HubHttp http, HubOptions options, ILogger logger)
{
    private readonly BodyDownload _body = new(http, options, logger);

    private bool Authorize => !options.DisableImplicitToken;

    /// <summary>Fetches into the cache.</summary>
    /// <returns>The path in the snapshot.</returns>
    public async Task<string> ToCacheAsync(RepoId repo, string path, string revision, DownloadOptions download, CancellationToken cancellationToken)
    {
        var cache = new RepoCache(options.CacheDirectory, repo);
        var subject = new RequestSubject("download", repo, path, revision);
        if (RepoCache.IsCommit(revision) && !download.Force && cache.Find(revision, path).Path is { } present)
        {
            return present;
        }

        var metadata = await MetadataAsync(subject, download, () => cache.Find(revision, path).Path, cache, cancellationToken).ConfigureAwait(false);
        if (metadata.Cached is { } cached)
        {
            return cached;
        }

        var file = metadata.File!;
        var pointer = cache.SnapshotPath(file.Commit, path);
        if (!download.Force && File.Exists(pointer))
        {
            cache.SetReference(revision, file.Commit);
            return pointer;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(cache.BlobPath(file.ETag))!);
        CacheTag.Write(options.CacheDirectory);
        cache.SetReference(revision, file.Commit);
        using var held = await FileLock.AcquireAsync(cache.LockPath(file.ETag), http.Time, logger, cancellationToken).ConfigureAwait(false);
        var blob = cache.BlobPath(file.ETag);
        if (download.Force || !File.Exists(blob))
        {
            if (!download.Force && File.Exists(pointer))
            {
                return pointer; // another process has placed it, without links, while this one waited
            }

            LogFetching(subject, file.Size);
            var incomplete = $"{blob}.{Guid.NewGuid().ToString("N")[..8]}.incomplete";
            await _body.ToFileAsync(file, incomplete, subject, Authorize, download.Progress, cancellationToken).ConfigureAwait(false);
            File.Move(incomplete, blob, overwrite: true);
            cache.Place(file.ETag, pointer, isNew: true, link: !options.DisableSymlinks);
        }
        else if (!File.Exists(pointer))
        {
            cache.Place(file.ETag, pointer, isNew: false, link: !options.DisableSymlinks);
        }

        return pointer;
    }

    /// <summary>Fetches into a user's folder.</summary>
    /// <returns>The path in that folder.</returns>
    public async Task<string> ToFolderAsync(RepoId repo, string path, string revision, DownloadOptions download, CancellationToken cancellationToken)
    {
        var folder = new LocalFolder(Path.GetFullPath(download.LocalDirectory!));
        var target = folder.FilePath(path);
        var subject = new RequestSubject("download", repo, path, revision);
        folder.Prepare();
        using var held = await FileLock.AcquireAsync(folder.LockPath(path), http.Time, logger, cancellationToken).ConfigureAwait(false);
        var known = folder.Read(path);
        if (!download.Force && known?.Commit == revision && File.Exists(target))
        {
            return target;
        }

        var metadata = await MetadataAsync(subject, download, () => File.Exists(target) ? target : null, null, cancellationToken).ConfigureAwait(false);
        if (metadata.Cached is { } cached)
        {
            return cached;
        }

        var file = metadata.File!;
        if (download.Force || !await IsCurrentAsync(target, known?.ETag, file.ETag, cancellationToken).ConfigureAwait(false))
        {
            await BringAsync(folder, target, repo, file, subject, download, cancellationToken).ConfigureAwait(false);
        }

        folder.Write(path, file.Commit, file.ETag, http.Time.GetUtcNow());
        return target;
    }

    /// <summary>The address of a file.</summary>
    public static Uri Resolve(HubOptions options, RepoId repo, string path, string revision) => new(
        $"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/{repo.UrlPrefix}{repo.Id}/resolve/{Uri.EscapeDataString(revision)}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}");

    private async Task BringAsync(LocalFolder folder, string target, RepoId repo, FileMetadata file, RequestSubject subject, DownloadOptions download, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var incomplete = folder.IncompletePath(subject.Path!, file.ETag);
        if (!download.Force && new RepoCache(options.CacheDirectory, repo).Find(file.Commit, subject.Path!).Path is { } cached)
        {
            File.Copy(cached, incomplete);
        }
        else
        {
            LogFetching(subject, file.Size);
            await _body.ToFileAsync(file, incomplete, subject, Authorize, download.Progress, cancellationToken).ConfigureAwait(false);
        }

        File.Move(incomplete, target, overwrite: true);
    }

    private static async Task<bool> IsCurrentAsync(string target, string? known, string etag, CancellationToken cancellationToken)
    {
        if (!File.Exists(target))
        {
            return false;
        }

        if (known is not null || !RepoCache.IsSha256(etag))
        {
            return known == etag;
        }

        using var stream = File.OpenRead(target);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false)) == etag;
    }

    // One quick question; when it goes unanswered, what is there already; only when nothing is, patience.
    private async Task<(FileMetadata? File, string? Cached)> MetadataAsync(RequestSubject subject, DownloadOptions download, Func<string?> present, RepoCache? cache, CancellationToken cancellationToken)
    {
        var address = Resolve(options, subject.Repo!, subject.Path!, subject.Revision!);
        try
        {
            if (download.LocalFilesOnly)
            {
                throw NotCached(subject, "and only local files were asked for");
            }

            return (await FileMetadata.GetAsync(http, address, subject, RetryPolicy.Never, options.MetadataTimeout, Authorize, cancellationToken).ConfigureAwait(false), null);
        }
        catch (HubException e)
        {
            if (e.Kind == HubErrorKind.EntryNotFound && cache is not null)
            {
                RememberAbsent(cache, e, subject);
            }

            if (IsFinal(e.Kind))
            {
                throw;
            }

            if (!download.Force && present() is { } local)
            {
                LogUsingCached(e.Message, local);
                return (null, local);
            }

            if (e.Kind is not (HubErrorKind.Connection or HubErrorKind.ServerError or HubErrorKind.RateLimited))
            {
                throw;
            }
        }

        return (await FileMetadata.GetAsync(http, address, subject, RetryPolicy.Repeatable, options.MetadataTimeout, Authorize, cancellationToken).ConfigureAwait(false), null);
    }

    private static void RememberAbsent(RepoCache cache, HubException e, RequestSubject subject)
    {
        if (e.Commit is { } commit && RepoCache.IsCommit(commit))
        {
            cache.SetReference(subject.Revision!, commit);
            cache.SetAbsent(commit, subject.Path!);
        }
    }

    private static bool IsFinal(HubErrorKind kind) => kind is HubErrorKind.EntryNotFound or HubErrorKind.RevisionNotFound
        or HubErrorKind.RepositoryNotFound or HubErrorKind.GatedRepository or HubErrorKind.UnsafeName;

    private static HubException NotCached(RequestSubject subject, string why) =>
        new(HubErrorKind.NotCached, $"{subject}: it is not in the cache, {why}. Allow downloads to fetch it.") { Repo = subject.Repo, Path = subject.Path, Revision = subject.Revision };

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Subject}: fetching {Size} bytes.")]
    private partial void LogFetching(RequestSubject subject, long size);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Failure} Using '{Path}', which is here already.")]
    private partial void LogUsingCached(string failure, string path);
}
