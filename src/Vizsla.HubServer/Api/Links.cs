using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.HubServer.LargeFiles;

namespace Vizsla.HubServer.Api;

/// <summary>Addresses of this Hub as its clients know it.</summary>
internal static class Links
{
    /// <summary>Address of the Hub, without a slash at its end.</summary>
    public static string Base(HttpContext context) =>
        context.RequestServices.GetRequiredService<HubServerOptions>().PublicUrl?.AbsoluteUri.TrimEnd('/')
            ?? $"{context.Request.Scheme}://{context.Request.Host.Value}";

    /// <summary>Address of the storage: the second port when there is one, else the Hub.</summary>
    public static string Storage(HttpContext context)
    {
        var ports = context.RequestServices.GetRequiredService<ServerPorts>();
        return ports.Storage is { } port ? $"{context.Request.Scheme}://{context.Request.Host.Host}:{port}" : Base(context);
    }
}

/// <summary>Signed addresses of large files.</summary>
internal static class StorageLinks
{
    /// <summary>Where a large file is fetched.</summary>
    /// <param name="context">The request.</param>
    /// <param name="signer">Signs.</param>
    /// <param name="oid">The file.</param>
    /// <param name="name">The name to save it under.</param>
    /// <param name="commit">The commit it was asked for at; null leaves it out.</param>
    public static string Download(HttpContext context, LinkSigner signer, string oid, string name, string? commit)
    {
        var path = $"/files/{oid}";
        var disposition = ("response-content-disposition", $"inline; filename=\"{name.Replace('"', '\'')}\"");
        // On the Hub's own origin clients follow the redirect already with HEAD and look for the commit there.
        var query = commit is null || Links.Storage(context) != Links.Base(context)
            ? signer.Sign("GET", path, disposition)
            : signer.Sign("GET", path, disposition, ("commit", commit));
        return $"{Links.Storage(context)}{path}?{query}";
    }

    /// <summary>Where a large file, or a part of it, is sent.</summary>
    public static string Upload(HttpContext context, LinkSigner signer, long repository, string oid, string? uploadId, int? part)
    {
        var path = $"/upload/{oid}";
        var owner = ("repository", repository.ToString(CultureInfo.InvariantCulture));
        var query = uploadId is null
            ? signer.Sign("PUT", path, owner)
            : signer.Sign("PUT", path, ("partNumber", part!.Value.ToString(CultureInfo.InvariantCulture)), ("uploadId", uploadId), owner);
        return $"{Links.Storage(context)}{path}?{query}";
    }
}

/// <summary>The ports that the server has got; known once it listens.</summary>
internal sealed class ServerPorts
{
    /// <summary>The Hub's port.</summary>
    public int Hub { get; set; }

    /// <summary>The storage's own port; null when it has none.</summary>
    public int? Storage { get; set; }
}
