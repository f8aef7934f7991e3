using System.Text.Json.Nodes;

namespace Vizsla.HubServer.Protocol;

/// <summary>An error response, with the headers in which clients look for the reason.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What clients show.</param>
/// <param name="code"><c>X-Error-Code</c>, or null.</param>
internal sealed class Refusal(int status, string message, string? code = null) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status => status;

    /// <summary><c>X-Error-Code</c>, or null.</summary>
    public string? Code => code;

    /// <summary>The JSON body; null means the message alone.</summary>
    public JsonObject? Body { get; init; }

    /// <summary>A text instead of a JSON body; null for JSON.</summary>
    public string? Text { get; init; }

    /// <summary><c>X-Repo-Commit</c>, or null.</summary>
    public string? Commit { get; init; }

    /// <summary>The request carries no credentials.</summary>
    public static Refusal Anonymous() => new(401, "Invalid username or password.");

    /// <summary>No such repository for a request without credentials; with a token it may be there. Clients look for the code, not for the status.</summary>
    public static Refusal NoRepositoryFound() => new(401, "Invalid username or password.", "RepoNotFound");

    /// <summary>No such repository, or not for this caller.</summary>
    public static Refusal NoRepository() => new(404, "Repository not found", "RepoNotFound");

    /// <summary>No such branch, tag or commit.</summary>
    public static Refusal NoRevision(string revision) => new(404, $"Invalid rev id: {revision}", "RevisionNotFound");

    /// <summary>No such page or endpoint.</summary>
    public static Refusal NoPage() => new(404, "Sorry, we can't find the page you are looking for.");
}
