using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vizsla.Hub.Cache;
using Vizsla.Hub.Transfers;

namespace Vizsla.Hub;

/// <summary>Files to and from a Hugging Face Hub, or a self-hosted one.</summary>
/// <remarks>
/// The cache is the one of <c>huggingface_hub</c>: what Python has fetched is used here, and the reverse. Safe to use from several
/// threads, and from several processes on one cache. Source: huggingface_hub <c>HfApi</c>, <c>hf_hub_download</c>, <c>snapshot_download</c>.
/// </remarks>
public sealed partial class HubClient : IDisposable
{
    internal const string DefaultRevision = "main";

    private readonly HubHttp _http;
    private readonly HubApi _api;
    private readonly Listing _listing;
    private readonly FileDownload _download;
    private readonly SnapshotDownload _snapshot;
    private readonly CommitUpload _commits;

    /// <param name="options">Endpoint, cache and token; null takes them from the environment.</param>
    /// <param name="logger">Receives retries, waits and fallbacks to the cache; null logs nothing.</param>
    /// <param name="time">The clock of waits; null is the system's.</param>
    /// <exception cref="ArgumentException">An environment variable holds an invalid value.</exception>
    public HubClient(HubOptions? options = null, ILogger? logger = null, TimeProvider? time = null)
    {
        Options = options ?? HubOptions.FromEnvironment();
        var log = logger ?? NullLogger.Instance;
        _http = new HubHttp(Options, time ?? TimeProvider.System, log);
        _api = new HubApi(_http, Options);
        _listing = new Listing(_api);
        _download = new FileDownload(_http, Options, log);
        _snapshot = new SnapshotDownload(_listing, _download, Options, log);
        _commits = new CommitUpload(_api, _http, Options, log);
    }

    /// <summary>Endpoint, cache and token.</summary>
    public HubOptions Options { get; }

    /// <summary>A client of the Hub that the environment names, for another than the user who is logged in.</summary>
    /// <param name="token">The access token; null takes the environment's.</param>
    /// <param name="logger">Receives retries, waits and fallbacks to the cache; null logs nothing.</param>
    /// <exception cref="ArgumentException">An environment variable holds an invalid value.</exception>
    internal static HubClient Of(HubToken? token, ILogger? logger = null)
    {
        var options = HubOptions.FromEnvironment();
        return new HubClient(options with { Token = token ?? options.Token }, logger);
    }

    /// <summary>Uses a client that was given, or one of the environment's that is closed after.</summary>
    /// <param name="hub">The client; stays the caller's. Null makes one.</param>
    /// <param name="token">The access token of the client that is made; null takes the environment's.</param>
    /// <param name="use">What is done with it.</param>
    internal static async Task<T> UseAsync<T>(HubClient? hub, HubToken? token, Func<HubClient, Task<T>> use)
    {
        ArgumentNullException.ThrowIfNull(use);
        if (hub is not null)
        {
            return await use(hub).ConfigureAwait(false);
        }

        using var own = Of(token);
        return await use(own).ConfigureAwait(false);
    }

    /// <summary>Fetches one file, unless the cache has it already.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="path">Path in the repository, slashes between segments.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>. A whole commit that is cached is never asked for.</param>
    /// <param name="options">Folder, force, progress; null takes the defaults.</param>
    /// <param name="cancellationToken">Stops; what has arrived is dropped.</param>
    /// <returns>Where the file lies: in the cache, never to be written to, or in the folder asked for.</returns>
    /// <exception cref="HubException">No such repository, revision or file, no access, no connection and nothing cached, or damaged on the way.</exception>
    /// <remarks>Source: <c>hf_hub_download</c>.</remarks>
    public Task<string> DownloadFileAsync(RepoId repo, string path, string? revision = null, DownloadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var download = options ?? new DownloadOptions();
        return download.LocalDirectory is null
            ? _download.ToCacheAsync(repo, path, revision ?? DefaultRevision, download, cancellationToken)
            : _download.ToFolderAsync(repo, path, revision ?? DefaultRevision, download, cancellationToken);
    }

    /// <summary>Fetches the files of a revision, all of them or those that patterns select.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="options">Patterns, folder, progress; null takes all files.</param>
    /// <param name="cancellationToken">Stops; whole files stay.</param>
    /// <returns>The folder of the files.</returns>
    /// <exception cref="HubException">As <see cref="DownloadFileAsync"/>; offline, also when the cached snapshot lacks files.</exception>
    /// <remarks>Source: <c>snapshot_download</c>.</remarks>
    public Task<string> SnapshotDownloadAsync(RepoId repo, string? revision = null, SnapshotOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return _snapshot.RunAsync(repo, revision ?? DefaultRevision, options ?? new SnapshotOptions(), cancellationToken);
    }

    /// <summary>What the cache knows of a file; sends no request.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="path">Path in the repository.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <remarks>Source: <c>try_to_load_from_cache</c>.</remarks>
    public CachedFile CachedFile(RepoId repo, string path, string? revision = null)
    {
        ArgumentNullException.ThrowIfNull(repo);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new RepoCache(Options.CacheDirectory, repo).Find(revision ?? DefaultRevision, path);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
