using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Api;

/// <summary>Branches, tags and history.</summary>
internal sealed class ReferenceEndpoints(HubDatabase database, CommitWriter writer, Gate gate, HubServerOptions options)
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var root in new[] { "/api/models/{owner}/{name}", "/api/datasets/{owner}/{name}" })
        {
            routes.MapGet(root + "/refs", (HttpContext context, RepoTarget? target, ReferenceEndpoints own) => own.List(context, target));
            routes.MapGet(root + "/commits/{*revision}", (HttpContext context, RepoTarget? target, ReferenceEndpoints own) => own.History(context, target));
            routes.MapPost(root + "/branch/{*branch}", (HttpContext context, RepoTarget? target, ReferenceEndpoints own) => own.CreateBranchAsync(context, target));
            routes.MapPost(root + "/tag/{*revision}", (HttpContext context, RepoTarget? target, ReferenceEndpoints own) => own.CreateTagAsync(context, target));
            routes.MapPost(root + "/super-squash/{*branch}", (HttpContext context, RepoTarget? target, ReferenceEndpoints own) => own.SquashAsync(context, target));
            routes.MapDelete(root + "/branch/{*branch}", (HttpContext context, RepoTarget? target, ReferenceEndpoints own) => own.DeleteAsync(context, target, ReferenceStore.Heads));
            routes.MapDelete(root + "/tag/{*tag}", (HttpContext context, RepoTarget? target, ReferenceEndpoints own) => own.DeleteAsync(context, target, ReferenceStore.Tags));
        }
    }

    private IResult List(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.See(context, target);
        using var connection = database.Open();
        JsonArray Rows(string prefix, bool isFull) => new([.. ReferenceStore.List(connection, repository, prefix)
            .Select(r => new JsonObject { ["name"] = r.Name, ["ref"] = isFull ? r.Name : prefix + r.Name, ["targetCommit"] = r.Target })]);
        var json = new JsonObject { ["tags"] = Rows(ReferenceStore.Tags, false), ["branches"] = Rows(ReferenceStore.Heads, false), ["converts"] = new JsonArray() };
        if (context.Request.Query.ContainsKey("include_prs"))
        {
            json["pullRequests"] = Rows(ReferenceStore.Proposals, true);
        }

        return Answers.Of(json);
    }

    private IResult History(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.See(context, target);
        using var connection = database.Open();
        var head = Revisions.Commit(connection, repository, target!.Revision);
        var count = CommitStore.Count(connection, repository, head.Id);
        var page = Paging.Of(context.Request, options.PageSize);
        context.Response.Headers["X-Total-Count"] = count.ToString(CultureInfo.InvariantCulture);
        page.AddNext(context, count);
        return Answers.Of(new JsonArray([.. CommitStore.History(connection, repository, head.Id, page.Start, page.Size).Select(RepositoryJson.Commit)]));
    }

    private async Task<IResult> CreateBranchAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.Write(context, target);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var branch = Checked(Name(target!));
        return await CreateAsync(context, repository, ReferenceStore.Heads + branch, body.Word("startingPoint") ?? Revisions.Default, $"Reference already exists: refs/heads/{branch}").ConfigureAwait(false);
    }

    private async Task<IResult> CreateTagAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.Write(context, target);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var tag = Checked(body.Required("tag"));
        return await CreateAsync(context, repository, ReferenceStore.Tags + tag, Name(target!), $"Tag reference exists already: {tag}").ConfigureAwait(false);
    }

    private async Task<IResult> CreateAsync(HttpContext context, Repository repository, string name, string revision, string taken)
    {
        await database.WriteAsync(
            c =>
            {
                if (ReferenceStore.Target(c, repository, name) is not null)
                {
                    throw new Refusal(StatusCodes.Status409Conflict, taken);
                }

                ReferenceStore.Set(c, repository, name, Revisions.Commit(c, repository, revision).Id);
                return true;
            },
            context.RequestAborted).ConfigureAwait(false);
        return Answers.Of("Created", StatusCodes.Status201Created);
    }

    private async Task<IResult> SquashAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, caller) = gate.Write(context, target);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var message = body.Word("message") is { Length: > 0 } given ? given : $"Super-squash branch '{Name(target!)}'";
        await writer.SquashAsync(repository, Name(target!), message, caller, context.RequestAborted).ConfigureAwait(false);
        return Answers.Of("OK");
    }

    private async Task<IResult> DeleteAsync(HttpContext context, RepoTarget? target, string prefix)
    {
        var (repository, _) = gate.Write(context, target);
        var name = Name(target!);
        if (prefix + name == ReferenceStore.Heads + Revisions.Default)
        {
            throw new Refusal(StatusCodes.Status400BadRequest, $"The branch '{Revisions.Default}' cannot be deleted.");
        }

        return await database.WriteAsync(c => ReferenceStore.Delete(c, repository, prefix + name), context.RequestAborted).ConfigureAwait(false)
            ? Answers.Of("OK")
            : throw Refusal.NoRevision(name);
    }

    // Branches are encoded into one segment, but those that are not mean the same.
    private static string Name(RepoTarget target) => target.Path.Length == 0 ? target.Revision : $"{target.Revision}/{target.Path}";

    private static string Checked(string name) => ReferenceStore.Fault(name) is { } fault
        ? throw new Refusal(StatusCodes.Status400BadRequest, $"Invalid reference name \"{name}\": {fault}.")
        : name;
}
