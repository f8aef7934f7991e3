using System.Net;
using Microsoft.AspNetCore.Http;
using Vizsla.HubServer.Protocol;

namespace Vizsla.HubServer.Api;

/// <summary>Rejects requests with a foreign Host, and state-changing requests with a foreign Origin.</summary>
/// <remarks>
/// A page elsewhere can point its own name at this server's address (DNS rebinding); its requests then carry that name as Host. Addresses
/// written as numbers cannot be rebound.
/// </remarks>
internal sealed class HostGuard(HubServerOptions options)
{
    private readonly bool _isLoopback = options.Host == "localhost" || (IPAddress.TryParse(options.Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Checks a request.</summary>
    /// <exception cref="Refusal">It calls the server by a foreign name (421), or comes from another origin's page (403).</exception>
    public void Check(HttpRequest request)
    {
        if (!IsOwnName(request.Host.Host))
        {
            throw new Refusal(StatusCodes.Status421MisdirectedRequest, "This Hub does not answer under that name. Call it by its address, or allow the name with --allowed_host.");
        }

        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
        if (!isRead && request.Headers.Origin is [{ Length: > 0 } origin] && !IsOwnOrigin(origin, request))
        {
            throw new Refusal(StatusCodes.Status403Forbidden, "A page of another origin may not change anything on this Hub.");
        }
    }

    private bool IsOwnName(string host)
    {
        var name = host.Trim('[', ']');
        if (IPAddress.TryParse(name, out var address))
        {
            return !_isLoopback || IPAddress.IsLoopback(address);
        }

        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.Equals(options.PublicUrl?.Host, StringComparison.OrdinalIgnoreCase)
            || options.AllowedHosts.Contains(name, StringComparer.OrdinalIgnoreCase)
            || (!_isLoopback && name.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase));
    }

    private bool IsOwnOrigin(string origin, HttpRequest request) => Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && (string.Equals(uri.Authority, request.Host.ToUriComponent(), StringComparison.OrdinalIgnoreCase)
            || string.Equals(uri.Authority, options.PublicUrl?.Authority, StringComparison.OrdinalIgnoreCase));
}
