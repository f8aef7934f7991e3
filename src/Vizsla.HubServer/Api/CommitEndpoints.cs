using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Vizsla.Hub;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Api;

/// <summary>Commits, the preupload request before them, and the validation of cards.</summary>
internal sealed class CommitEndpoints(HubDatabase database, TreeStore trees, CommitWriter writer, Gate gate, HubServerOptions options)
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var root in new[] { "/api/models/{owner}/{name}", "/api/datasets/{owner}/{name}" })
        {
            routes.MapPost(root + "/preupload/{*revision}", (HttpContext context, RepoTarget? target, CommitEndpoints own) => own.PreuploadAsync(context, target));
            routes.MapPost(root + "/commit/{*revision}", (HttpContext context, RepoTarget? target, CommitEndpoints own) => own.CommitAsync(context, target)).WithMetadata(new DisableRequestSizeLimitAttribute());
        }

        routes.MapPost("/api/validate-yaml", (Delegate)ValidateAsync);
    }

    private async Task<IResult> PreuploadAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.Write(context, target);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        using var connection = database.Open();
        var asProposal = context.Request.Query.ContainsKey("create_pr");
        var commit = Revisions.Commit(connection, repository, asProposal && Repositories.ReferenceStore.Resolve(connection, repository, target!.Revision) is null ? Revisions.Default : target!.Revision);
        var large = Attributes.Patterns(Small(connection, commit, Attributes.FileName));
        var ignore = IgnoreRules.Parse(body.Word("gitIgnore") is { Length: > 0 } text ? text : Encoding.UTF8.GetString(Small(connection, commit, ".gitignore")));
        var rows = new JsonArray();
        foreach (var file in (body["files"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var path = file.Required("path");
            var row = new JsonObject { ["path"] = path, ["uploadMode"] = IsLarge(file, path, large) ? "lfs" : "regular", ["shouldIgnore"] = ignore.Match(path) };
            if (trees.Find(connection, commit.Tree, path) is { IsFolder: false } present)
            {
                row["oid"] = present.LargeOid ?? present.Oid;
            }

            rows.Add(row);
        }

        return Answers.Of(new JsonObject { ["files"] = rows, ["commitOid"] = commit.Id });
    }

    private async Task<IResult> CommitAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, caller) = gate.Write(context, target);
        var request = await CommitRequest.ReadAsync(context.Request.Body, database, options.LargeFileThreshold, context.RequestAborted).ConfigureAwait(false);
        var outcome = await writer.WriteAsync(repository, target!.Revision, request, caller, context.Request.Query["create_pr"].ToString() is "1" or "true" or "True", context.RequestAborted).ConfigureAwait(false);
        var page = $"{Links.Base(context)}/{repository.Id}";
        var answer = new JsonObject { ["success"] = true, ["commitOid"] = outcome.Id, ["commitUrl"] = $"{page}/commit/{outcome.Id}", ["hookOutput"] = "" };
        if (outcome.Proposal is { } number)
        {
            answer["pullRequestUrl"] = $"{page}/discussions/{number}";
        }

        return Answers.Of(answer);
    }

    private static async Task<IResult> ValidateAsync(HttpContext context)
    {
        string content, type;
        if (context.Request.HasFormContentType)
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
            (content, type) = (form["content"].ToString(), form["repoType"].ToString());
        }
        else
        {
            var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
            (content, type) = (body.Required("content"), body.Word("repoType") ?? "model");
        }

        var (errors, warnings) = CardCheck.Run(content, type, Links.Base(context));
        return Results.Text(new JsonObject { ["errors"] = errors, ["warnings"] = warnings }.ToJsonString(), Answers.Json, statusCode: errors.Count > 0 ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK);
    }

    private bool IsLarge(JsonObject file, string path, IReadOnlyList<string> patterns)
    {
        var size = file["size"] is JsonValue value && value.TryGetValue(out long bytes) ? bytes : 0;
        return Attributes.Match(patterns, path) || size > options.LargeFileThreshold || HoldsZero(file.Word("sample") ?? "");
    }

    private static bool HoldsZero(string sample)
    {
        var bytes = new byte[sample.Length];
        return Convert.TryFromBase64String(sample, bytes, out var count) && bytes.AsSpan(0, count).Contains((byte)0);
    }

    private byte[] Small(SqliteConnection connection, StoredCommit commit, string path) =>
        trees.Find(connection, commit.Tree, path) is { IsFolder: false, LargeOid: null } item ? BlobStore.Read(connection, item.Oid) : [];
}
