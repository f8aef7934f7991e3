using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Vizsla.Hub.Transfers;

/// <summary>Which failures are retried, and the wait before each retry: 1, 2, 4, 8, 8 seconds unless the server says.</summary>
/// <remarks>Source: huggingface_hub <c>http_backoff</c>. A 4xx other than 429 is never retried.</remarks>
internal sealed record RetryPolicy
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    /// <summary>No retries: there is a cached answer to fall back on.</summary>
    public static readonly RetryPolicy Never = new() { MaxRetries = 0 };

    /// <summary>Idempotent requests.</summary>
    public static readonly RetryPolicy Repeatable = new();

    /// <summary>Commits: only when the server says that it has not looked at the request (429, 503).</summary>
    public static readonly RetryPolicy Commit = new() { ServerErrors = false, Connection = false };

    /// <summary>Attempts after the first.</summary>
    public int MaxRetries { get; init; } = 5;

    /// <summary>Whether every 5xx is retried, or 503 alone.</summary>
    public bool ServerErrors { get; init; } = true;

    /// <summary>Whether a broken or refused connection is retried.</summary>
    public bool Connection { get; init; } = true;

    /// <summary>Whether a response is to be retried.</summary>
    public bool Covers(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable || (ServerErrors && (int)status >= 500);

    /// <summary>The wait before retry number <paramref name="retry"/>, counted from 0.</summary>
    /// <param name="retry">0 for the first.</param>
    /// <param name="asked">What the server asked for, or null.</param>
    public static TimeSpan Wait(int retry, TimeSpan? asked) => asked is { } wait
        ? wait + TimeSpan.FromSeconds(1) // one second more: the server counts in whole seconds
        : TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, retry)));
}

/// <summary>How long a server asks to wait.</summary>
/// <remarks>Source: huggingface_hub <c>parse_ratelimit_headers</c> (<c>RateLimit: "api";r=0;t=55</c>), RFC 9110 <c>Retry-After</c>.</remarks>
internal static partial class RateLimit
{
    /// <summary>The wait asked for; null when the answer names none.</summary>
    public static TimeSpan? Of(HttpResponseMessage response, DateTimeOffset now)
    {
        if (response.StatusCode == HttpStatusCode.TooManyRequests
            && response.Headers.TryGetValues("RateLimit", out var values)
            && Window().Match(string.Join(',', values)) is { Success: true } match
            && match.Groups["remaining"].Value == "0")
        {
            return TimeSpan.FromSeconds(int.Parse(match.Groups["seconds"].Value, CultureInfo.InvariantCulture));
        }

        return response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date > now ? date - now : TimeSpan.Zero,
            _ => null,
        };
    }

    [GeneratedRegex(@"""[^""]*""\s*;\s*r\s*=\s*(?<remaining>\d{1,9})\s*;\s*t\s*=\s*(?<seconds>\d{1,9})")]
    private static partial Regex Window();
}
