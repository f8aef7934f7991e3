using System.Net.Http.Headers;

namespace Vizsla.Hub;

/// <summary>An access token that shows itself nowhere: text, logs and serialized options carry <c>hf_***</c>.</summary>
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

    /// <summary>The token itself, for a file or a header and nothing else.</summary>
    public string Reveal() => _secret;

    /// <inheritdoc/>
    public override string ToString() => "hf_***";

    internal AuthenticationHeaderValue Header => new("Bearer", _secret);

    internal static HubToken? FromText(string? text) => string.IsNullOrWhiteSpace(text) ? null : new(text);
}
