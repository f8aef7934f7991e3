using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.LargeFiles;

/// <summary>Signs addresses of large files: who holds one may fetch or send that file, for a while, without a token.</summary>
internal sealed class LinkSigner
{
    private const int KeySize = 32;

    private readonly byte[] _key;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lifetime;

    public LinkSigner(HubDatabase database, TimeProvider time, TimeSpan lifetime)
    {
        _time = time;
        _lifetime = lifetime;
        using var connection = database.Open();
        connection.Run("INSERT OR IGNORE INTO settings VALUES ('link_key', $key)", ("$key", RandomNumberGenerator.GetBytes(KeySize)));
        _key = connection.Scalar<byte[]>("SELECT value FROM settings WHERE name = 'link_key'")!;
    }

    /// <summary>The query of a signed address.</summary>
    /// <param name="method"><c>GET</c> or <c>PUT</c>.</param>
    /// <param name="path">The address's path.</param>
    /// <param name="values">What else it carries, in order; all of it is signed.</param>
    public string Sign(string method, string path, params ReadOnlySpan<(string Name, string Value)> values)
    {
        var query = new StringBuilder();
        foreach (var (name, value) in values)
        {
            query.Append(CultureInfo.InvariantCulture, $"{name}={Encode(value)}&");
        }

        query.Append(CultureInfo.InvariantCulture, $"Expires={(_time.GetUtcNow() + _lifetime).ToUnixTimeSeconds()}");
        return $"{query}&Signature={Signature(method, path, query.ToString())}";
    }

    /// <summary>Whether a query is one that was signed for this method and path and has not expired.</summary>
    public bool IsValid(string method, string path, string query)
    {
        var text = query.TrimStart('?');
        var at = text.LastIndexOf("&Signature=", StringComparison.Ordinal);
        var start = text.LastIndexOf("Expires=", StringComparison.Ordinal);
        return at > 0 && start >= 0 && start < at
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Signature(method, path, text[..at])), Encoding.ASCII.GetBytes(text[(at + 11)..]))
            && long.TryParse(text[(start + 8)..at], NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            && expires >= _time.GetUtcNow().ToUnixTimeSeconds();
    }

    // As forms are encoded: spaces become plus signs.
    private static string Encode(string value) => Uri.EscapeDataString(value).Replace("%20", "+", StringComparison.Ordinal);

    private string Signature(string method, string path, string query) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{method}\n{path}\n{query}")));
}
