using System.Security.Cryptography;
using System.Text;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Accounts;

/// <summary>Users and their tokens. Of a token only its SHA-256 is kept.</summary>
internal sealed class AccountStore(HubDatabase database, TimeProvider time)
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int SecretLength = 34;

    // Words that begin the Hub's own addresses.
    private static readonly string[] Reserved = ["api", "datasets", "spaces", "models", "files", "upload", "docs", "settings", "login", "static"];

    /// <summary>Adds a user.</summary>
    /// <exception cref="ArgumentException">The name is taken, reserved or invalid.</exception>
    public async Task AddUserAsync(string name, CancellationToken cancellationToken)
    {
        if (!Vizsla.Hub.RepoId.TryParse(name + "/x", Vizsla.Hub.RepoType.Model, out _) || name.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{name}' is not a valid user name: use letters, digits, '-', '_' or '.', not at an end, at most 96.", nameof(name));
        }

        if (Reserved.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new ArgumentException($"'{name}' is reserved for the Hub's own URLs; choose another name.", nameof(name));
        }

        var added = await database.WriteAsync(c => c.Run("INSERT OR IGNORE INTO users VALUES ($name, $now)", ("$name", name), ("$now", time.Stamp())), cancellationToken).ConfigureAwait(false);
        if (added == 0)
        {
            throw new ArgumentException($"There is a user '{name}' already; use 'hub token {name}' for another token.", nameof(name));
        }
    }

    /// <summary>Names of all users.</summary>
    public IReadOnlyList<string> Users() => database.Read(c => c.Rows("SELECT name FROM users ORDER BY name", r => r.GetString(0)));

    /// <summary>Creates a token; it is shown this once.</summary>
    /// <exception cref="ArgumentException">There is no such user.</exception>
    public async Task<string> CreateTokenAsync(string user, TokenRole role, string label, CancellationToken cancellationToken)
    {
        var token = "hf_" + RandomNumberGenerator.GetString(Letters, SecretLength);
        await AddTokenAsync(user, token, role, label, cancellationToken).ConfigureAwait(false);
        return token;
    }

    /// <summary>Accepts a given token.</summary>
    /// <exception cref="ArgumentException">There is no such user.</exception>
    public async Task AddTokenAsync(string user, string token, TokenRole role, string label, CancellationToken cancellationToken)
    {
        if (!Users().Contains(user))
        {
            throw new ArgumentException($"There is no user '{user}'. Known: {string.Join(", ", Users())}. Add one with 'hub user add {user}'.", nameof(user));
        }

        await database.WriteAsync(
            c => c.Run("INSERT OR REPLACE INTO tokens VALUES ($hash, $user, $role, $label, $now)", ("$hash", Hash(token)), ("$user", user), ("$role", role.ToString()), ("$label", label), ("$now", time.Stamp())),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Revokes all tokens of a user.</summary>
    /// <returns>How many there were.</returns>
    public Task<int> RevokeAsync(string user, CancellationToken cancellationToken) =>
        database.WriteAsync(c => c.Run("DELETE FROM tokens WHERE user = $user", ("$user", user)), cancellationToken);

    /// <summary>The user of a token; null when it is unknown.</summary>
    public Caller? Find(string token) => database.Read(c => c.Rows(
        "SELECT user, role, label, created FROM tokens WHERE hash = $hash",
        r => new Caller(r.GetString(0), Enum.Parse<TokenRole>(r.GetString(1)), r.GetString(2), r.GetString(3)),
        ("$hash", Hash(token)))).FirstOrDefault();

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}

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

/// <summary>What a token, or a user in somebody else's repository, may do.</summary>
public enum TokenRole
{
    /// <summary>Nothing that needs a name.</summary>
    None,

    /// <summary>Read.</summary>
    Read,

    /// <summary>Read and write.</summary>
    Write,
}
