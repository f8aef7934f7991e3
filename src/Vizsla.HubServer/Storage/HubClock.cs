using System.Globalization;

namespace Vizsla.HubServer.Storage;

/// <summary>Times as the Hub writes them: <c>2026-01-02T03:04:05.000Z</c>.</summary>
internal static class HubClock
{
    /// <summary>The current time.</summary>
    public static string Stamp(this TimeProvider time) => time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Seconds since 1970 of such a text.</summary>
    public static long Seconds(string stamp) => DateTimeOffset.Parse(stamp, CultureInfo.InvariantCulture).ToUnixTimeSeconds();
}
