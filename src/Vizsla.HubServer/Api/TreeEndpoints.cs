using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Api;

/// <summary>Files and folders of a revision.</summary>
internal sealed class TreeEndpoints(HubDatabase database, TreeStore trees, Gate gate, HubServerOptions options)
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var root in new[] { "/api/models/{owner}/{name}", "/api/datasets/{owner}/{name}" })
        {
            routes.MapGet(root + "/tree/{*path}", (HttpContext context, RepoTarget? target, TreeEndpoints own) => own.List(context, target));
            routes.MapPost(root + "/paths-info/{*revision}", (HttpContext context, RepoTarget? target, TreeEndpoints own) => own.LookUpAsync(context, target));
        }
    }

    private IResult List(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.See(context, target);
        using var connection = database.Open();
        var commit = Revisions.Commit(connection, repository, target!.Revision);
        if (trees.Find(connection, commit.Tree, target.Path) is not { IsFolder: true } folder)
        {
            throw new Refusal(StatusCodes.Status404NotFound, $"{target.Path} does not exist on \"{target.Revision}\"", "EntryNotFound");
        }

        var prefix = target.Path.Length > 0 ? target.Path + "/" : "";
        var rows = context.Request.Asks("recursive")
            ? trees.Walk(connection, folder.Oid, prefix)
            : trees.Items(connection, folder.Oid).Select(i => (Path: prefix + i.Name, Item: i));
        var sorted = rows.OrderBy(r => r.Path.Count(c => c == '/')).ThenBy(r => !r.Item.IsFolder).ThenBy(r => r.Path, StringComparer.Ordinal).ToList();
        var page = Paging.Of(context.Request, options.PageSize);
        page.AddNext(context, sorted.Count);
        var last = context.Request.Asks("expand") ? commit : null;
        return Answers.Of(new JsonArray([.. sorted.Skip(page.Start).Take(page.Size).Select(r => RepositoryJson.Entry(r.Path, r.Item, last))]));
    }

    private async Task<IResult> LookUpAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.See(context, target);
        var (paths, expand) = await AskedAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        using var connection = database.Open();
        var commit = Revisions.Commit(connection, repository, target!.Revision);
        return Answers.Of(new JsonArray([.. paths
            .Select(p => (Path: p.TrimEnd('/'), Item: trees.Find(connection, commit.Tree, p)))
            .Where(p => p.Item is not null && p.Path.Length > 0)
            .Select(p => RepositoryJson.Entry(p.Path, p.Item!, expand ? commit : null))]));
    }

    private static async Task<(IReadOnlyList<string> Paths, bool Expand)> AskedAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.HasFormContentType)
        {
            var form = await request.ReadFormAsync(cancellationToken).ConfigureAwait(false);
            return ([.. form["paths"].OfType<string>()], form["expand"].ToString() is "true" or "True");
        }

        var body = await request.JsonAsync(cancellationToken).ConfigureAwait(false);
        return ([.. (body["paths"] as JsonArray ?? []).OfType<JsonValue>().Select(p => p.ToString())], body["expand"]?.GetValueKind() is System.Text.Json.JsonValueKind.True);
    }
}
