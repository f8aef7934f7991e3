namespace Vizsla.Hub;

/// <summary>Why the Hub, or the way to it, refused.</summary>
public enum HubErrorKind
{
    /// <summary>None of the others; the status tells.</summary>
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
