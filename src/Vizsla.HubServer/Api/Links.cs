using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

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
