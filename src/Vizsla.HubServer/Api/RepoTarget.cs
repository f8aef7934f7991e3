using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Vizsla.Hub;
using Vizsla.HubServer.Protocol;

namespace Vizsla.HubServer.Api;

/// <summary>The repository, revision and path that a URL names.</summary>
/// <param name="Id">The repository.</param>
/// <param name="Revision">Decoded; empty when the address has none.</param>
/// <param name="Path">Decoded, slashes between segments; empty when the address has none.</param>
/// <remarks>
/// Read from the request line itself: a revision may hold an encoded slash, a file name an encoded per cent sign, and the decoded path of
/// ASP.NET Core cannot tell those from others.
/// </remarks>
internal sealed record RepoTarget(RepoId Id, string Revision, string Path)
{
    private const string GitSuffix = ".git";

    /// <summary>Called by the minimal API to bind a handler's parameter.</summary>
    public static ValueTask<RepoTarget?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        _ = parameter;
        var target = Parse(context.Features.Get<IHttpRequestFeature>()!.RawTarget);
        return target is not null && (target.Revision + target.Path).Any(char.IsControl)
            ? throw new Refusal(StatusCodes.Status400BadRequest, "A revision and a path hold no control characters.")
            : ValueTask.FromResult(target);
    }

    /// <summary>Reads an address; null when it names no repository.</summary>
    public static RepoTarget? Parse(string rawTarget)
    {
        var segments = rawTarget.Split('?', 2)[0].TrimStart('/').Split('/').ToList();
        if (segments is ["api", "resolve-cache", ..])
        {
            segments.RemoveRange(0, 2);
            return segments.Count >= 5 && Create(segments[0] == "models", segments[1], segments[2]) is { } cached
                ? cached with { Revision = Decode(segments[3]), Path = Join(segments[4..]) }
                : null;
        }

        var isApi = segments[0] == "api";
        var rest = isApi ? segments[1..] : segments;
        var isModel = isApi ? rest[0] == "models" : rest[0] != "datasets";
        rest = isApi || !isModel ? rest[1..] : rest;
        if (rest.Count < 2 || Create(isModel, rest[0], TrimGit(rest)) is not { } target)
        {
            return null;
        }

        // owner/name[/word[/revision[/path]]]
        return rest.Count < 4 ? target : target with { Revision = Decode(rest[3]), Path = Join(rest[4..]) };
    }

    private static string TrimGit(List<string> rest) =>
        rest is [_, _, "info", "lfs", ..] && rest[1].EndsWith(GitSuffix, StringComparison.Ordinal) ? rest[1][..^GitSuffix.Length] : rest[1];

    private static RepoTarget? Create(bool isModel, string owner, string name) =>
        RepoId.TryParse($"{Decode(owner)}/{Decode(name)}", isModel ? RepoType.Model : RepoType.Dataset, out var id) ? new RepoTarget(id!, "", "") : null;

    private static string Join(IEnumerable<string> segments) => string.Join('/', segments.Select(Decode)).TrimEnd('/');

    private static string Decode(string segment) => Uri.UnescapeDataString(segment);
}
