using System.Net;

namespace Vizsla.Hub;

/// <summary>A request to a Hub failed; the message names repository, file, status and request, and says what to do.</summary>
/// <remarks>Source: huggingface_hub <c>HfHubHTTPError</c> and its family. The message never holds a token or a signed address.</remarks>
public sealed class HubException : IOException
{
    /// <param name="kind">Why.</param>
    /// <param name="message">Whole sentences, ending with what to do.</param>
    /// <param name="inner">The cause, or null.</param>
    public HubException(HubErrorKind kind, string message, Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
    }

    /// <summary>Why.</summary>
    public HubErrorKind Kind { get; }

    /// <summary>The repository; null when the failure concerns none.</summary>
    public RepoId? Repo { get; init; }

    /// <summary>Path in the repository; null when the failure concerns no single file.</summary>
    public string? Path { get; init; }

    /// <summary>Branch, tag or commit asked for; null when none was.</summary>
    public string? Revision { get; init; }

    /// <summary>The HTTP status; null when there was no answer.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>The Hub's own id of the failed request, for its operators; null when it gave none.</summary>
    public string? RequestId { get; init; }

    /// <summary>The revision's commit, when the refusal names it.</summary>
    internal string? Commit { get; init; }

    /// <summary>The page of what exists already, when the refusal names it.</summary>
    internal Uri? Page { get; init; }
}

/// <summary>Why a request to a Hub failed.</summary>
public enum HubErrorKind
{
    /// <summary>None of the others; see the status.</summary>
    Other,

    /// <summary>No such repository, or a private one that the token may not see. HF: <c>RepositoryNotFoundError</c>.</summary>
    RepositoryNotFound,

    /// <summary>The repository asks for a request of access. HF: <c>GatedRepoError</c>.</summary>
    GatedRepository,

    /// <summary>The Hub has switched the repository off. HF: <c>DisabledRepoError</c>.</summary>
    DisabledRepository,

    /// <summary>No such branch, tag or commit. HF: <c>RevisionNotFoundError</c>.</summary>
    RevisionNotFound,

    /// <summary>No such file at that revision. HF: <c>RemoteEntryNotFoundError</c>.</summary>
    EntryNotFound,

    /// <summary>Not in the cache, and the Hub could not be asked. HF: <c>LocalEntryNotFoundError</c>.</summary>
    NotCached,

    /// <summary>The cached snapshot lacks files, and the Hub could not be asked. HF: <c>IncompleteSnapshotError</c>.</summary>
    IncompleteSnapshot,

    /// <summary>The token is unknown, expired or absent where one is needed.</summary>
    Unauthorized,

    /// <summary>The token may not do this.</summary>
    Forbidden,

    /// <summary>The Hub refuses what was sent. HF: <c>BadRequestError</c>.</summary>
    BadRequest,

    /// <summary>It exists already.</summary>
    Conflict,

    /// <summary>Somebody else committed first.</summary>
    ParentChanged,

    /// <summary>Too many requests.</summary>
    RateLimited,

    /// <summary>The Hub failed (5xx) after all retries.</summary>
    ServerError,

    /// <summary>No connection, or it broke, after all retries.</summary>
    Connection,

    /// <summary>What arrived is not what was announced: size or hash differ.</summary>
    Corrupt,

    /// <summary>The answer is not one of a Hub: a header or a field is missing.</summary>
    NotAHub,

    /// <summary>A name from the server would leave the folder it belongs to.</summary>
    UnsafeName,
}
