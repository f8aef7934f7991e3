using System.Net;

namespace Vizsla.Hub.Transfers;

/// <summary>What is tried again, and how long to wait before: 1, 2, 4, 8, 8 seconds unless the server says.</summary>
/// <remarks>Source: huggingface_hub <c>http_backoff</c>. A 4xx other than 429 is never tried again.</remarks>
internal sealed record RetryPolicy
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    /// <summary>Nothing is tried again: there is a cached answer to fall back on.</summary>
    public static readonly RetryPolicy Never = new() { MaxRetries = 0 };

    /// <summary>Requests that may be sent twice without harm.</summary>
    public static readonly RetryPolicy Repeatable = new();

    /// <summary>Commits: only when the server says that it has not looked at the request (429, 503).</summary>
    public static readonly RetryPolicy Commit = new() { ServerErrors = false, Connection = false };

    /// <summary>Attempts after the first.</summary>
    public int MaxRetries { get; init; } = 5;

    /// <summary>Whether every 5xx is tried again, or 503 alone.</summary>
    public bool ServerErrors { get; init; } = true;

    /// <summary>Whether a broken or refused connection is tried again.</summary>
    public bool Connection { get; init; } = true;

    /// <summary>Whether an answer asks for another attempt.</summary>
    public bool Covers(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable || (ServerErrors && (int)status >= 500);

    /// <summary>The wait before retry number <paramref name="retry"/>, counted from 0.</summary>
    /// <param name="retry">0 for the first.</param>
    /// <param name="asked">What the server asked for, or null.</param>
    public static TimeSpan Wait(int retry, TimeSpan? asked) => asked is { } wait
        ? wait + TimeSpan.FromSeconds(1) // one second more: the server counts in whole seconds
        : TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, retry)));
}
