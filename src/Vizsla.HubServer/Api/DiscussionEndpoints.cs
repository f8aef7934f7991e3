using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Api;

/// <summary>Discussions and pull requests: listed, opened, commented, closed, merged.</summary>
/// <remarks>Source: huggingface_hub <c>HfApi.get_repo_discussions</c> and what follows it there. Comments are neither edited nor hidden here.</remarks>
internal sealed class DiscussionEndpoints(HubDatabase database, DiscussionStore discussions, CommitWriter writer, Gate gate)
{
    private const int PageSize = 50;
    private const int LongestTitle = 200;

    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var root in new[] { "/api/models/{owner}/{name}/discussions", "/api/datasets/{owner}/{name}/discussions" })
        {
            routes.MapGet(root, (HttpContext context, RepoTarget? target, DiscussionEndpoints own) => own.List(context, target));
            routes.MapPost(root, (HttpContext context, RepoTarget? target, DiscussionEndpoints own) => own.OpenAsync(context, target));
            routes.MapGet(root + "/{number:long}", (HttpContext context, RepoTarget? target, long number, DiscussionEndpoints own) => own.Describe(context, target, number));
            routes.MapPost(root + "/{number:long}/comment", (HttpContext context, RepoTarget? target, long number, DiscussionEndpoints own) => own.CommentAsync(context, target, number));
            routes.MapPost(root + "/{number:long}/title", (HttpContext context, RepoTarget? target, long number, DiscussionEndpoints own) => own.RenameAsync(context, target, number));
            routes.MapPost(root + "/{number:long}/status", (HttpContext context, RepoTarget? target, long number, DiscussionEndpoints own) => own.ChangeStatusAsync(context, target, number));
            routes.MapPost(root + "/{number:long}/merge", (HttpContext context, RepoTarget? target, long number, DiscussionEndpoints own) => own.MergeAsync(context, target, number));
        }
    }

    private IResult List(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.See(context, target);
        var query = context.Request.Query;
        using var connection = database.Open();
        var selected = DiscussionStore.List(connection, repository)
            .Where(d => query["type"].ToString() switch { "discussion" => !d.IsPullRequest, "pull_request" => d.IsPullRequest, _ => true })
            .Where(d => query["status"].ToString() switch { "open" => d.IsOpen, "closed" => !d.IsOpen, _ => true })
            .Where(d => query["author"].ToString() is var author && (author.Length == 0 || author == d.Author))
            .ToList();
        var start = int.TryParse(query["p"], NumberStyles.None, CultureInfo.InvariantCulture, out var page) ? (int)Math.Min((long)page * PageSize, selected.Count) : 0;
        return Answers.Of(new JsonObject
        {
            ["discussions"] = new JsonArray([.. selected.Skip(start).Take(PageSize).Select(d => Json(repository, d))]),
            ["count"] = selected.Count,
            ["start"] = start,
        });
    }

    private IResult Describe(HttpContext context, RepoTarget? target, long number)
    {
        var (repository, _) = gate.See(context, target);
        using var connection = database.Open();
        var discussion = DiscussionStore.Find(connection, repository, number) ?? throw NoDiscussion(number);
        var json = Json(repository, discussion);
        json["events"] = new JsonArray([.. DiscussionStore.Events(connection, repository, number).Select(Json)]);
        if (discussion.IsPullRequest)
        {
            json["changes"] = new JsonObject { ["base"] = ReferenceStore.Heads + Revisions.Default };
            if (discussion.Merged is { } merged)
            {
                json["changes"]!["mergeCommitId"] = merged;
            }

            json["filesWithConflicts"] = new JsonArray([.. discussion.IsOpen ? writer.Conflicts(connection, repository, number).Select(p => (JsonNode)p) : []]);
        }

        return Answers.Of(json);
    }

    private async Task<IResult> OpenAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, caller, body) = await TalkAsync(context, target).ConfigureAwait(false);
        var title = TitleOf(body);
        var description = body.Word("description") ?? "";
        var isPullRequest = body["pullRequest"]?.GetValueKind() is System.Text.Json.JsonValueKind.True;
        if (isPullRequest)
        {
            gate.Write(context, target);
        }

        var number = await database.WriteAsync(
            c =>
            {
                var opened = discussions.Open(c, repository, title, caller.User!, isPullRequest, isPullRequest ? "draft" : "open");
                discussions.Comment(c, repository, opened, caller.User!, description);
                if (isPullRequest)
                {
                    ReferenceStore.Set(c, repository, $"{ReferenceStore.Proposals}{opened}", Revisions.Commit(c, repository, Revisions.Default).Id);
                }

                return opened;
            },
            context.RequestAborted).ConfigureAwait(false);
        return Answers.Of(new JsonObject { ["num"] = number, ["pullRequest"] = isPullRequest, ["url"] = $"{Links.Base(context)}/{repository.Id}/discussions/{number}" });
    }

    private async Task<IResult> CommentAsync(HttpContext context, RepoTarget? target, long number)
    {
        var (repository, caller, body) = await TalkAsync(context, target).ConfigureAwait(false);
        var text = body.Required("comment");
        return await ChangeAsync(context, repository, number, "newMessage", (c, _) => discussions.Comment(c, repository, number, caller.User!, text)).ConfigureAwait(false);
    }

    private async Task<IResult> RenameAsync(HttpContext context, RepoTarget? target, long number)
    {
        var (repository, caller, body) = await TalkAsync(context, target).ConfigureAwait(false);
        var title = TitleOf(body);
        return await ChangeAsync(context, repository, number, "newTitle", (c, d) =>
        {
            MayChange(repository, caller, d);
            DiscussionStore.Change(c, repository, d with { Title = title });
            return discussions.Add(c, repository, number, "title-change", caller.User!, new JsonObject { ["from"] = d.Title, ["to"] = title });
        }).ConfigureAwait(false);
    }

    private async Task<IResult> ChangeStatusAsync(HttpContext context, RepoTarget? target, long number)
    {
        var (repository, caller, body) = await TalkAsync(context, target).ConfigureAwait(false);
        var status = body.Required("status");
        if (status is not ("open" or "closed"))
        {
            throw new Refusal(StatusCodes.Status400BadRequest, "\"status\" must be \"open\" or \"closed\".");
        }

        return await ChangeAsync(context, repository, number, "newStatus", (c, d) =>
        {
            MayChange(repository, caller, d);
            if (d.Status == "merged")
            {
                throw new Refusal(StatusCodes.Status409Conflict, $"Pull request {number} has been merged.");
            }

            if (body.Word("comment") is { Length: > 0 } comment)
            {
                discussions.Comment(c, repository, number, caller.User!, comment);
            }

            DiscussionStore.Change(c, repository, d with { Status = status });
            return discussions.Add(c, repository, number, "status-change", caller.User!, new JsonObject { ["status"] = status });
        }).ConfigureAwait(false);
    }

    private async Task<IResult> MergeAsync(HttpContext context, RepoTarget? target, long number)
    {
        var (repository, caller) = gate.Write(context, target);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        await writer.MergeAsync(repository, number, caller, body.Word("comment"), context.RequestAborted).ConfigureAwait(false);
        return Answers.Of(new JsonObject { ["success"] = true });
    }

    private async Task<IResult> ChangeAsync(HttpContext context, Repository repository, long number, string key, Func<SqliteConnection, Discussion, DiscussionEvent> change)
    {
        var happened = await database.WriteAsync(c => change(c, DiscussionStore.Find(c, repository, number) ?? throw NoDiscussion(number)), context.RequestAborted).ConfigureAwait(false);
        return Answers.Of(new JsonObject { [key] = Json(happened) });
    }

    // Whoever sees a repository may speak of it.
    private async Task<(Repository Repository, Caller Caller, JsonObject Body)> TalkAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.See(context, target);
        var caller = gate.Writer(context);
        return (repository, caller, await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false));
    }

    private void MayChange(Repository repository, Caller caller, Discussion discussion)
    {
        if (caller.User != discussion.Author && !gate.MayWrite(repository, caller))
        {
            throw new Refusal(StatusCodes.Status403Forbidden, $"Only its author and those who may write to the repository change discussion {discussion.Number}.");
        }
    }

    private static string TitleOf(JsonObject body) => body.Required("title").Trim() is { Length: >= 3 and <= LongestTitle } title && !title.Any(char.IsControl)
        ? title
        : throw new Refusal(StatusCodes.Status400BadRequest, $"\"title\" must have 3 to {LongestTitle} characters on one line.");

    private static Refusal NoDiscussion(long number) => new(StatusCodes.Status404NotFound, $"There is no discussion {number}.");

    private static JsonObject Json(Repository repository, Discussion discussion) => new()
    {
        ["num"] = discussion.Number,
        ["title"] = discussion.Title,
        ["author"] = new JsonObject { ["name"] = discussion.Author, ["type"] = "user" },
        ["createdAt"] = discussion.Created,
        ["status"] = discussion.Status,
        ["isPullRequest"] = discussion.IsPullRequest,
        ["repo"] = new JsonObject { ["name"] = repository.Id.Id, ["type"] = repository.Id.TypeName },
    };

    private static JsonObject Json(DiscussionEvent happened) => new()
    {
        ["id"] = happened.Id,
        ["type"] = happened.Type,
        ["author"] = new JsonObject { ["name"] = happened.Author, ["type"] = "user" },
        ["createdAt"] = happened.Created,
        ["data"] = happened.Data,
    };
}
