using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.LargeFiles;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Api;

/// <summary>Serves the files of a revision: regular ones directly, large ones by a redirect to a signed URL.</summary>
internal sealed class ResolveEndpoints(HubDatabase database, TreeStore trees, LinkSigner signer, Gate gate)
{
    private const int Sample = 512;

    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var root in new[] { "/{owner}/{name}/resolve/", "/datasets/{owner}/{name}/resolve/", "/api/resolve-cache/models/{owner}/{name}/", "/api/resolve-cache/datasets/{owner}/{name}/" })
        {
            routes.MapMethods(root + "{revision}/{*path}", ["GET", "HEAD"], (HttpContext context, RepoTarget? target, ResolveEndpoints own) => own.Send(context, target));
        }
    }

    private IResult Send(HttpContext context, RepoTarget? target)
    {
        var repository = gate.Read(context, target);
        using var connection = database.Open();
        var commit = Revisions.Commit(connection, repository, target!.Revision);
        if (trees.Find(connection, commit.Tree, target.Path) is not { IsFolder: false } file)
        {
            throw new Refusal(StatusCodes.Status404NotFound, "Entry not found", "EntryNotFound") { Text = "Entry not found", Commit = commit.Id };
        }

        context.Response.Headers["X-Repo-Commit"] = commit.Id;
        return file.LargeOid is { } large ? SendLarge(context, target, commit, file, large) : SendRegular(context, target, file);
    }

    private IResult SendLarge(HttpContext context, RepoTarget target, StoredCommit commit, TreeItem file, string oid)
    {
        var headers = context.Response.Headers;
        headers["X-Linked-Size"] = file.Size.ToString(CultureInfo.InvariantCulture);
        headers["X-Linked-ETag"] = $"\"{oid}\"";
        headers.AcceptRanges = "bytes";
        headers.Vary = "Origin, Accept";
        var location = StorageLinks.Download(context, signer, oid, NameOf(target), commit.Id);
        headers.Location = location;
        return Answers.Of($"Found. Redirecting to {location}", StatusCodes.Status302Found);
    }

    private IResult SendRegular(HttpContext context, RepoTarget target, TreeItem file)
    {
        var connection = database.Open();
        context.Response.RegisterForDispose(connection);
        var content = BlobStore.Open(connection, file.Oid);
        var isText = !HoldsZero(content);
        var headers = context.Response.Headers;
        var name = NameOf(target);
        headers.ContentDisposition = $"inline; filename*=UTF-8''{Uri.EscapeDataString(name)}; filename=\"{Ascii(name)}\";";
        // A file of a repository is shown, never run: not as a page of this Hub.
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return Results.Stream(content, isText ? Answers.Text : "application/octet-stream", entityTag: new EntityTagHeaderValue($"\"{file.Oid}\""), enableRangeProcessing: true);
    }

    private static bool HoldsZero(Stream content)
    {
        Span<byte> sample = stackalloc byte[Sample];
        var read = content.ReadAtLeast(sample, Sample, throwOnEndOfStream: false);
        content.Position = 0;
        return sample[..read].Contains((byte)0);
    }

    private static string NameOf(RepoTarget target) => target.Path[(target.Path.LastIndexOf('/') + 1)..];

    private static string Ascii(string name) => string.Concat(name.Select(c => c is >= ' ' and < (char)127 and not ('"' or '\\') ? c : '_'));
}
