using System.Net;

namespace Vizsla.Hub;

/// <summary>A Hub, or the way to it, failed; the message names repository, file, status and request, and says what to do.</summary>
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
