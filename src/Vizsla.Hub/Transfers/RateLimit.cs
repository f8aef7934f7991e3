using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Vizsla.Hub.Transfers;

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
