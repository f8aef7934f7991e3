using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;

namespace Vizsla.HubServer.Api;

/// <summary>Authenticates the caller and checks what they may see and change.</summary>
/// <remarks>A private repository is, for those who may not see it, not there: 404 for a known caller, 401 for an unknown one, as for an absent repository.</remarks>
internal sealed class Gate(AccountStore accounts, RepositoryStore repositories)
{
    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";

    /// <summary>The caller; nobody when the request carries no token.</summary>
    /// <exception cref="Refusal">The token is not valid.</exception>
    public Caller CallerOf(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            return Caller.Nobody;
        }

        var token = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim()
            : header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase) ? Password(header[Basic.Length..].Trim())
            : null;
        return token is not null && accounts.Find(token) is { } caller ? caller : throw new Refusal(401, "Invalid credentials in Authorization header");
    }

    /// <summary>An authenticated caller.</summary>
    /// <exception cref="Refusal">There is no token, or it is not valid.</exception>
    public Caller Known(HttpContext context) => CallerOf(context) is { User: not null } caller ? caller : throw Refusal.Anonymous();

    /// <summary>A caller whose token may write.</summary>
    /// <exception cref="Refusal">There is none.</exception>
    public Caller Writer(HttpContext context)
    {
        var caller = Known(context) is { Role: TokenRole.Write } writer ? writer : throw new Refusal(403, "Forbidden: this token has no write access.");

        // A browser sends a remembered user name and password with any page's form; it sends neither a bearer token nor JSON unasked.
        return IsBearer(context) || IsJson(context.Request.ContentType)
            ? caller
            : throw new Refusal(StatusCodes.Status415UnsupportedMediaType, "Send a bearer token, or a JSON content type: a change is not taken from a form.");
    }

    /// <summary>Whether a repository may be known to exist by whoever sends a request.</summary>
    public bool MaySee(HttpContext context, Repository repository)
    {
        try
        {
            return !repository.IsPrivate || repositories.RoleOf(CallerOf(context), repository) is not TokenRole.None;
        }
        catch (Refusal)
        {
            // Credentials that are not valid see nothing.
            return false;
        }
    }

    /// <summary>A repository that the caller may see.</summary>
    /// <param name="context">The request.</param>
    /// <param name="target">What it names; null names nothing.</param>
    /// <exception cref="Refusal">There is none.</exception>
    public (Repository Repository, Caller Caller) See(HttpContext context, RepoTarget? target)
    {
        var caller = CallerOf(context);
        var repository = target is null ? null : repositories.Find(target.Id);
        if (repository is null || (repository.IsPrivate && repositories.RoleOf(caller, repository) is TokenRole.None))
        {
            throw caller.User is null ? Refusal.NoRepositoryFound() : Refusal.NoRepository();
        }

        return (repository, caller);
    }

    /// <summary>A repository whose files the caller may read.</summary>
    /// <exception cref="Refusal">There is none, or it is gated.</exception>
    public Repository Read(HttpContext context, RepoTarget? target)
    {
        var (repository, caller) = See(context, target);
        if (repository.IsGated && repositories.RoleOf(caller, repository) is TokenRole.None)
        {
            var what = $"Access to {repository.Id.TypeName} {repository.Id.Id} is restricted";
            throw caller.User is null
                ? new Refusal(401, $"{what}. You must have access to it and be authenticated to access it. Please log in.", "GatedRepo")
                : new Refusal(403, $"{what} and you are not in the authorized list. Visit {Links.Base(context)}/{repository.Id} to ask for access.", "GatedRepo");
        }

        return repository;
    }

    /// <summary>A repository that the caller may change.</summary>
    /// <exception cref="Refusal">There is none, or the caller may not.</exception>
    public (Repository Repository, Caller Caller) Write(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = See(context, target);
        var caller = Writer(context);
        return repositories.RoleOf(caller, repository) is TokenRole.Write
            ? (repository, caller)
            : throw NoRights(repository.Id);
    }

    /// <summary>Whether a caller may change a repository.</summary>
    public bool MayWrite(Repository repository, Caller caller) => repositories.RoleOf(caller, repository) is TokenRole.Write;

    /// <summary>The error for writing without permission.</summary>
    public static Refusal NoRights(RepoId id) => new(403, $"You don't have the rights to create a model under the namespace \"{id.Owner}\"");

    private static bool IsBearer(HttpContext context) => context.Request.Headers.Authorization.ToString().StartsWith(Bearer, StringComparison.OrdinalIgnoreCase);

    private static bool IsJson(string? contentType) => contentType?.Split(';')[0].Trim() is { } type
        && (type.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("ndjson", StringComparison.OrdinalIgnoreCase));

    private static string? Password(string encoded)
    {
        var bytes = new byte[encoded.Length];
        return Convert.TryFromBase64String(encoded, bytes, out var count) && Encoding.UTF8.GetString(bytes, 0, count).Split(':', 2) is [_, var password] ? password : null;
    }
}

/// <summary>Who am I.</summary>
internal static class AccountEndpoints
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/whoami-v2", (HttpContext context, Gate gate) => Answers.Of(WhoAmI(gate.Known(context))));

    private static JsonObject WhoAmI(Caller caller) => new()
    {
        ["type"] = "user",
        ["id"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(caller.User!)))[..24],
        ["name"] = caller.User,
        ["fullname"] = CultureInfo.InvariantCulture.TextInfo.ToTitleCase(caller.User!),
        ["isPro"] = false,
        ["orgs"] = new JsonArray(),
        ["auth"] = new JsonObject
        {
            ["type"] = "access_token",
            ["accessToken"] = new JsonObject { ["displayName"] = caller.Label, ["role"] = caller.Role is TokenRole.Write ? "write" : "read", ["createdAt"] = caller.Created },
        },
    };
}
