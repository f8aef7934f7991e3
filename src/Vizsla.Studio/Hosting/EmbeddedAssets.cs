using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Vizsla.Studio.Hosting;

/// <summary>Scripts and styles that travel inside the assembly.</summary>
internal static class EmbeddedAssets
{
    private const string Prefix = "assets/";

    private static readonly Assembly Assembly = typeof(EmbeddedAssets).Assembly;
    private static readonly FileExtensionContentTypeProvider Types = new();

    /// <summary>Maps one address for each file: <c>/_framework/...</c>, <c>/_content/...</c>.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var name in Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var path = "/" + name[Prefix.Length..].Replace('\\', '/');
            var type = Types.TryGetContentType(path, out var known) ? known : "application/octet-stream";
            var tag = new Lazy<EntityTagHeaderValue>(() => TagOf(name));
            endpoints.MapGet(path, (HttpContext context) =>
            {
                context.Response.Headers.CacheControl = "no-cache";
                return Results.Stream(Open(name), type, entityTag: tag.Value);
            }).ExcludeFromDescription();
        }
    }

    /// <summary>The text of a script or style, for pages that stand alone.</summary>
    /// <param name="path">Such as <c>_content/Vizsla.Studio/studio.css</c>.</param>
    public static string ReadText(string path)
    {
        using var reader = new StreamReader(Open(Prefix + path));
        return reader.ReadToEnd();
    }

    /// <summary>The bytes of a picture.</summary>
    /// <param name="path">Such as <c>_content/Vizsla.Studio/sample.jpg</c>.</param>
    public static byte[] ReadBytes(string path)
    {
        using var stream = Open(Prefix + path);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static Stream Open(string name) =>
        Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The assembly lacks its asset '{name}'.");

    private static EntityTagHeaderValue TagOf(string name)
    {
        using var stream = Open(name);
        return new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(stream))[..16]}\"");
    }
}
