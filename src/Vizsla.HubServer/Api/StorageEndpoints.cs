using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Vizsla.HubServer.LargeFiles;
using Vizsla.HubServer.Protocol;

namespace Vizsla.HubServer.Api;

/// <summary>Serves and receives the bytes of large files to holders of a signed URL.</summary>
internal sealed class StorageEndpoints(LargeFileStore store, LinkSigner signer)
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/files/{oid}", ["GET", "HEAD"], (HttpContext context, string oid, StorageEndpoints own) => own.Send(context, oid));
        routes.MapPut("/upload/{oid}", (HttpContext context, string oid, StorageEndpoints own) => own.ReceiveAsync(context, oid)).WithMetadata(new DisableRequestSizeLimitAttribute());
    }

    private IResult Send(HttpContext context, string oid)
    {
        if (!LargeFileName.IsValid(oid) || !signer.IsValid("GET", $"/files/{oid}", context.Request.QueryString.Value ?? "") || store.Find(oid) is not { } file)
        {
            throw new Refusal(StatusCodes.Status403Forbidden, "AccessDenied: the address is wrong or has expired; ask the Hub again.");
        }

        var headers = context.Response.Headers;
        headers.ContentDisposition = context.Request.Query["response-content-disposition"].ToString();
        if (context.Request.Query["commit"].ToString() is { Length: > 0 } commit)
        {
            headers["X-Repo-Commit"] = commit;
            headers["X-Linked-ETag"] = $"\"{oid}\"";
            headers["X-Linked-Size"] = file.Size.ToString(CultureInfo.InvariantCulture);
        }

        return Results.File(store.PathOf(oid), "application/octet-stream", entityTag: new EntityTagHeaderValue($"\"{file.Md5}\""), enableRangeProcessing: true);
    }

    private async Task<IResult> ReceiveAsync(HttpContext context, string oid)
    {
        if (!LargeFileName.IsValid(oid) || !signer.IsValid("PUT", $"/upload/{oid}", context.Request.QueryString.Value ?? ""))
        {
            throw new Refusal(StatusCodes.Status403Forbidden, "AccessDenied: the address is wrong or has expired; ask the Hub again.");
        }

        var query = context.Request.Query;
        var repository = long.Parse(query["repository"]!, CultureInfo.InvariantCulture);
        var md5 = query["uploadId"].ToString() is { Length: > 0 } uploadId
            ? await store.TakePartAsync(uploadId, int.Parse(query["partNumber"]!, CultureInfo.InvariantCulture), context.Request.Body, context.RequestAborted).ConfigureAwait(false)
            : await store.TakeAsync(oid, repository, context.Request.Body, context.RequestAborted).ConfigureAwait(false)
                ?? throw new Refusal(StatusCodes.Status400BadRequest, "BadDigest: the bytes are not those of this file.");
        context.Response.Headers.ETag = $"\"{md5}\"";
        return Results.StatusCode(StatusCodes.Status200OK);
    }
}
