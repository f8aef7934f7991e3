using System.Net.Http.Headers;
using System.Text;
using Vizsla.Hub.Cache;

namespace Vizsla.Hub;

/// <summary>An access token that is never printed: text, logs and serialized options show <c>hf_***</c>.</summary>
public sealed class HubToken
{
    private readonly string _secret;

    /// <param name="secret">The token as the Hub gave it; surrounding white space and line ends are dropped.</param>
    /// <exception cref="ArgumentException">The token is empty or holds a character that a header cannot carry.</exception>
    public HubToken(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        _secret = secret.Trim();
        if (_secret.Length == 0 || _secret.Any(c => c is <= ' ' or >= (char)127))
        {
            throw new ArgumentException("The access token is empty or holds spaces or characters outside ASCII; copy it again.", nameof(secret));
        }
    }

    /// <summary>The secret, for a file or a header and nothing else.</summary>
    public string Reveal() => _secret;

    /// <inheritdoc/>
    public override string ToString() => "hf_***";

    internal AuthenticationHeaderValue Header => new("Bearer", _secret);

    internal static HubToken? FromText(string? text) => string.IsNullOrWhiteSpace(text) ? null : new(text);
}

/// <summary>The token file, readable by its owner alone.</summary>
/// <remarks>Source: huggingface_hub <c>_login.py</c>; the same file.</remarks>
internal static class TokenStore
{
    /// <summary>The stored token; null when there is none.</summary>
    /// <param name="path">The file, see <see cref="HubOptions.TokenPath"/>.</param>
    public static HubToken? Read(string path) => File.Exists(path) ? HubToken.FromText(File.ReadAllText(path)) : null;

    /// <summary>Stores a token: mode 0600 from the first byte on, replaced in one step.</summary>
    /// <param name="path">The file.</param>
    /// <param name="token">The token.</param>
    public static void Write(string path, HubToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        AtomicFile.Write(path, stream => stream.Write(Encoding.ASCII.GetBytes(token.Reveal())), flush: true, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Removes the stored token; does nothing when there is none.</summary>
    /// <param name="path">The file.</param>
    public static void Delete(string path) => File.Delete(path);
}
