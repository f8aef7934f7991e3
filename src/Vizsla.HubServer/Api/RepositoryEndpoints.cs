using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Api;

/// <summary>Creates, describes, searches, renames, hides and deletes repositories.</summary>
internal sealed class RepositoryEndpoints(HubDatabase database, RepositoryStore repositories, TreeStore trees, CardStore cards, Gate gate, HubServerOptions options, TimeProvider time)
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/repos/create", (HttpContext context, RepositoryEndpoints own) => own.CreateAsync(context));
        routes.MapDelete("/api/repos/delete", (HttpContext context, RepositoryEndpoints own) => own.DeleteAsync(context));
        routes.MapPost("/api/repos/move", (HttpContext context, RepositoryEndpoints own) => own.MoveAsync(context));
        foreach (var type in new[] { RepoType.Model, RepoType.Dataset })
        {
            var root = type is RepoType.Model ? "/api/models" : "/api/datasets";
            routes.MapGet(root, (HttpContext context, RepositoryEndpoints own) => own.Search(context, type));
            routes.MapGet(root + "/{owner}/{name}", (HttpContext context, RepoTarget? target, RepositoryEndpoints own) => own.Describe(context, target));
            routes.MapGet(root + "/{owner}/{name}/revision/{*revision}", (HttpContext context, RepoTarget? target, RepositoryEndpoints own) => own.Describe(context, target));
            routes.MapPut(root + "/{owner}/{name}/settings", (HttpContext context, RepoTarget? target, RepositoryEndpoints own) => own.ChangeAsync(context, target));
            routes.MapGet(root + "/{owner}/{name}/auth-check", (HttpContext context, RepoTarget? target, RepositoryEndpoints own) => own.CheckAccess(context, target));
        }
    }

    private async Task<IResult> CreateAsync(HttpContext context)
    {
        var caller = gate.Writer(context);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var id = Named(body, caller.User!);
        if (id.Owner != caller.User)
        {
            throw Gate.NoRights(id);
        }

        var isPrivate = body["private"]?.GetValueKind() is System.Text.Json.JsonValueKind.True || body.Word("visibility") == "private";
        var created = await database.WriteAsync(c => Create(c, id, isPrivate, caller.User!), context.RequestAborted).ConfigureAwait(false);
        var url = $"{Links.Base(context)}/{id}";
        if (created is null)
        {
            var said = $"You already created this {id.TypeName} repo";
            throw new Refusal(StatusCodes.Status409Conflict, said) { Body = new JsonObject { ["error"] = said, ["url"] = url } };
        }

        return Answers.Of(new JsonObject { ["url"] = url, ["name"] = id.Id, ["id"] = created.PublicId });
    }

    private Repository? Create(SqliteConnection connection, RepoId id, bool isPrivate, string author)
    {
        if (repositories.Create(connection, id, isPrivate) is not { } repository)
        {
            return null;
        }

        var attributes = Attributes.Initial(id.Type);
        var tree = trees.Apply(connection, TreeStore.EmptyTree, [KeyValuePair.Create(Attributes.FileName, (TreeItem?)TreeItem.File("", BlobStore.Add(connection, attributes), attributes.Length))]);
        var first = CommitStore.Add(connection, repository, null, tree, "initial commit", "", author, time.Stamp());
        ReferenceStore.Set(connection, repository, ReferenceStore.Heads + Revisions.Default, first.Id);
        return repository;
    }

    private async Task<IResult> DeleteAsync(HttpContext context)
    {
        var caller = gate.Writer(context);
        var id = Named(await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false), caller.User!);
        if (id.Owner != caller.User)
        {
            throw Gate.NoRights(id);
        }

        await repositories.DeleteAsync(repositories.Find(id) ?? throw Refusal.NoRepository(), context.RequestAborted).ConfigureAwait(false);
        return Answers.Of("OK");
    }

    private async Task<IResult> MoveAsync(HttpContext context)
    {
        var caller = gate.Writer(context);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var type = TypeOf(body);
        var (from, to) = (ParseId(body.Required("fromRepo"), type), ParseId(body.Required("toRepo"), type));
        if (from.Owner != caller.User || to.Owner != caller.User)
        {
            throw Gate.NoRights(from.Owner != caller.User ? from : to);
        }

        var repository = repositories.Find(from) ?? throw Refusal.NoRepository();
        return await repositories.MoveAsync(repository, to, context.RequestAborted).ConfigureAwait(false)
            ? Answers.Of("OK")
            : throw new Refusal(StatusCodes.Status409Conflict, $"You already created this {to.TypeName} repo");
    }

    private IResult Search(HttpContext context, RepoType type)
    {
        gate.CallerOf(context);
        var query = new RepositoryQuery(context.Request);
        using var connection = database.Open();
        var rows = repositories.List(type, query.Author, null)
            .Where(r => !r.IsPrivate && query.Names(r))
            .Select(r => (Repository: r, Commit: Revisions.Commit(connection, r, Revisions.Default)))
            .Where(r => query.IsEmpty || query.Selects(r.Repository, cards.Read(connection, r.Commit.Tree, type)));
        var sorted = query.Sorted(rows, r => r.Commit.Date, r => r.Repository.Created).ToList();
        var page = Paging.Of(context.Request, options.PageSize);
        page.AddNext(context, sorted.Count);
        return Answers.Of(new JsonArray([.. sorted.Skip(page.Start).Take(page.Size).Select(r => query.Expanded(RepositoryJson.Row(
            r.Repository, r.Commit, cards.Read(connection, r.Commit.Tree, type), query.WantsFiles ? Files(connection, r.Commit).Select(f => f.Path).Order(StringComparer.Ordinal) : null, query.WantsCard, query.WantsConfig)))]));
    }

    private IResult Describe(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.See(context, target);
        using var connection = database.Open();
        var commit = Revisions.Commit(connection, repository, target!.Revision);
        var json = RepositoryJson.Full(repository, commit, cards.Read(connection, commit.Tree, repository.Id.Type), [.. Files(connection, commit)], context.Request.Asks("blobs"));
        return Answers.Of(new RepositoryQuery(context.Request).Expanded(json));
    }

    private async Task<IResult> ChangeAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.Write(context, target);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var isPrivate = body["private"]?.GetValueKind() switch
        {
            System.Text.Json.JsonValueKind.True => true,
            System.Text.Json.JsonValueKind.False => false,
            _ => body.Word("visibility") is { } visibility ? visibility == "private" : repository.IsPrivate,
        };
        var gating = body.TryGetPropertyValue("gated", out var asked) ? GatingOf(asked) : repository.Gating;
        await repositories.SetAccessAsync(repository, isPrivate, gating, context.RequestAborted).ConfigureAwait(false);
        return Answers.Of(new JsonObject { ["private"] = isPrivate });
    }

    private static Gating GatingOf(JsonNode? asked) => asked?.ToJsonString() switch
    {
        null or "false" => Gating.None,
        "true" or "\"auto\"" => Gating.Auto,
        "\"manual\"" => Gating.Manual,
        _ => throw new Refusal(StatusCodes.Status400BadRequest, "\"gated\" must be \"auto\", \"manual\" or false."),
    };

    private IResult CheckAccess(HttpContext context, RepoTarget? target)
    {
        gate.Read(context, target);
        return Answers.Of(new JsonObject());
    }

    private IEnumerable<(string Path, TreeItem Item)> Files(SqliteConnection connection, StoredCommit commit) => trees.Walk(connection, commit.Tree).Where(f => !f.Item.IsFolder);

    private static RepoId Named(JsonObject body, string user) => ParseId($"{body.Word("organization") ?? user}/{body.Required("name")}", TypeOf(body));

    private static RepoType TypeOf(JsonObject body) => body.Word("type") switch
    {
        null or "model" => RepoType.Model,
        "dataset" => RepoType.Dataset,
        var other => throw new Refusal(StatusCodes.Status400BadRequest, $"This Hub keeps models and datasets, not \"{other}\"."),
    };

    private static RepoId ParseId(string id, RepoType type) => RepoId.TryParse(id, type, out var repo) && repo!.Owner is not null
        ? repo
        : throw new Refusal(StatusCodes.Status400BadRequest, $"Invalid repo id: {id}");
}
