namespace Vizsla.HubServer.Accounts;

/// <summary>Who sends a request.</summary>
/// <param name="User">The token's user; null for nobody.</param>
/// <param name="Role">What the token may do.</param>
/// <param name="Label">The token's name.</param>
/// <param name="Created">When the token was made.</param>
internal sealed record Caller(string? User, TokenRole Role, string Label, string Created)
{
    /// <summary>A request without a token.</summary>
    public static readonly Caller Nobody = new(null, TokenRole.None, "", "");
}
