using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.LargeFiles;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Api;

/// <summary>The Git LFS batch API: upload and download URLs of large files.</summary>
/// <remarks>Source: git-lfs <c>docs/api/batch.md</c>; multipart as Hugging Face's <c>lfs.py</c> expects it.</remarks>
internal sealed class LargeFileEndpoints(LargeFileStore store, LinkSigner signer, RepositoryStore repositories, HubDatabase database, TreeStore trees, Gate gate, HubServerOptions options)
{
    private const string LfsType = "application/vnd.git-lfs+json; charset=utf-8";
    private const int MaxParts = 10_000;
    private const long LargestSize = 1L << 50;

    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var root in new[] { "/{owner}/{name}/info/lfs/objects/", "/datasets/{owner}/{name}/info/lfs/objects/" })
        {
            routes.MapPost(root + "batch", (HttpContext context, RepoTarget? target, LargeFileEndpoints own) => own.BatchAsync(context, target));
            routes.MapPost(root + "verify", (HttpContext context, RepoTarget? target, LargeFileEndpoints own) => own.VerifyAsync(context, target));
            routes.MapPost(root + "complete", (HttpContext context, RepoTarget? target, LargeFileEndpoints own) => own.CompleteAsync(context, target));
        }

        foreach (var root in new[] { "/api/models/{owner}/{name}", "/api/datasets/{owner}/{name}" })
        {
            routes.MapGet(root + "/lfs-files", (HttpContext context, RepoTarget? target, LargeFileEndpoints own) => own.List(context, target));
        }
    }

    // Each large file of the branches' and proposals' histories once, under the last name that it had.
    private IResult List(HttpContext context, RepoTarget? target)
    {
        var (repository, _) = gate.Write(context, target);
        using var connection = database.Open();
        var found = new Dictionary<string, JsonObject>();
        var seen = new HashSet<string>();
        foreach (var (name, head) in ReferenceStore.List(connection, repository, "refs/"))
        {
            foreach (var commit in CommitStore.History(connection, repository, head, 0, int.MaxValue).Where(c => seen.Add(c.Id)))
            {
                foreach (var (path, item) in trees.Walk(connection, commit.Tree).Where(f => f.Item.LargeOid is not null))
                {
                    var row = new JsonObject { ["fileOid"] = item.LargeOid, ["filename"] = path, ["oid"] = item.LargeOid, ["pushedAt"] = commit.Date, ["ref"] = "refs/" + name, ["size"] = item.Size };
                    if (!found.TryAdd(item.LargeOid!, row))
                    {
                        // Histories run backwards: the first commit that has it is when it was pushed.
                        found[item.LargeOid!]["pushedAt"] = commit.Date;
                    }
                }
            }
        }

        var rows = found.Values.OrderBy(r => (string?)r["filename"], StringComparer.Ordinal).ToList();
        var page = Paging.Of(context.Request, options.PageSize);
        page.AddNext(context, rows.Count);
        return Answers.Of(new JsonArray([.. rows.Skip(page.Start).Take(page.Size)]));
    }

    private async Task<IResult> BatchAsync(HttpContext context, RepoTarget? target)
    {
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var isDownload = body.Word("operation") == "download";
        var (repository, caller) = isDownload ? (gate.Read(context, target), gate.CallerOf(context)) : gate.Write(context, target);
        var asked = (body["objects"] as JsonArray ?? []).OfType<JsonObject>().Select(o => (Oid: o.Required("oid"), Size: o["size"] is JsonValue v && v.TryGetValue(out long size) ? size : -1)).ToList();
        if (asked.FirstOrDefault(o => !LargeFileName.IsValid(o.Oid) || o.Size is < 0 or > LargestSize) is { Oid: { } wrong })
        {
            throw new Refusal(StatusCodes.Status422UnprocessableEntity, $"'{wrong}' with its size is not a large file.");
        }

        var inParts = options.PartSize is { } part && (body["transfers"] as JsonArray)?.Any(t => t?.ToString() == "multipart") is true && asked.Any(o => o.Size > part);
        var rows = asked.Select(o => isDownload ? Download(context, repository, caller, o.Oid, o.Size) : Upload(context, repository, caller, o.Oid, o.Size, inParts));
        return Answers.Of(new JsonObject { ["transfer"] = inParts && !isDownload ? "multipart" : "basic", ["objects"] = new JsonArray([.. rows]) }, LfsType);
    }

    private JsonObject Upload(HttpContext context, Repository repository, Caller caller, string oid, long size, bool inParts)
    {
        var row = new JsonObject { ["oid"] = oid, ["size"] = size };
        if (store.Find(oid) is not null && store.IsVisible(oid, repository, caller))
        {
            return row;
        }

        var here = $"{Links.Base(context)}/{repository.Id}.git/info/lfs/objects";
        row["authenticated"] = true;
        row["actions"] = new JsonObject
        {
            ["upload"] = inParts && size > options.PartSize ? Parts(context, repository, here, oid, size) : new JsonObject { ["href"] = StorageLinks.Upload(context, signer, repository.Key, oid, null, null) },
        };
        if (options.Verify)
        {
            row["actions"]!["verify"] = new JsonObject { ["href"] = $"{here}/verify" };
        }

        return row;
    }

    private JsonObject Parts(HttpContext context, Repository repository, string here, string oid, long size)
    {
        var partSize = options.PartSize!.Value;
        partSize *= ((size / partSize / MaxParts) + 1);
        var count = (int)((size + partSize - 1) / partSize);
        // The id says what is joined, so that nothing about an unfinished upload needs to be remembered.
        var uploadId = $"{repository.Key}-{oid}";
        var header = new JsonObject { ["chunk_size"] = partSize.ToString(CultureInfo.InvariantCulture) };
        for (var number = 1; number <= count; number++)
        {
            header[number.ToString("00000", CultureInfo.InvariantCulture)] = StorageLinks.Upload(context, signer, repository.Key, oid, uploadId, number);
        }

        var path = $"/{repository.Id}.git/info/lfs/objects/complete";
        return new JsonObject { ["href"] = $"{here}/complete?{signer.Sign("POST", path, ("uploadId", uploadId))}", ["header"] = header };
    }

    private JsonObject Download(HttpContext context, Repository repository, Caller caller, string oid, long size) =>
        store.Find(oid) is not null && store.IsVisible(oid, repository, caller)
            ? new JsonObject { ["oid"] = oid, ["size"] = size, ["authenticated"] = true, ["actions"] = new JsonObject { ["download"] = new JsonObject { ["href"] = StorageLinks.Download(context, signer, oid, oid, null) } } }
            : new JsonObject { ["oid"] = oid, ["size"] = size, ["error"] = new JsonObject { ["code"] = 404, ["message"] = "Object does not exist" } };

    private async Task<IResult> VerifyAsync(HttpContext context, RepoTarget? target)
    {
        var (repository, caller) = gate.Write(context, target);
        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var oid = body.Required("oid");
        return store.Find(oid) is { } found && body["size"] is JsonValue size && size.TryGetValue(out long bytes) && bytes == found.Size && store.IsVisible(oid, repository, caller)
            ? Answers.Of(new JsonObject { ["success"] = true })
            : throw new Refusal(StatusCodes.Status404NotFound, "object not found");
    }

    // Comes without a token: the signed address says who may join what.
    private async Task<IResult> CompleteAsync(HttpContext context, RepoTarget? target)
    {
        var repository = target is null ? null : repositories.Find(target.Id);
        if (repository is null || !signer.IsValid("POST", $"/{target!.Id}.git/info/lfs/objects/complete", context.Request.QueryString.Value ?? ""))
        {
            throw new Refusal(StatusCodes.Status403Forbidden, "The address of this upload has expired; start it again.");
        }

        var body = await context.Request.JsonAsync(context.RequestAborted).ConfigureAwait(false);
        var oid = body.Required("oid");
        var uploadId = context.Request.Query["uploadId"].ToString();
        if (uploadId != $"{repository.Key}-{oid}")
        {
            throw new Refusal(StatusCodes.Status400BadRequest, "This upload is of another file.");
        }

        var parts = (body["parts"] as JsonArray)?.Count ?? 0;
        return parts is > 0 and <= MaxParts && await store.JoinAsync(uploadId, oid, repository.Key, parts, context.RequestAborted).ConfigureAwait(false) is not { } fault
            ? Answers.Of(new JsonObject { ["success"] = true })
            : throw new Refusal(StatusCodes.Status400BadRequest, "checksum mismatch");
    }
}
