using System.Net;
using Microsoft.AspNetCore.Http;
using Vizsla.Serving.Api;

namespace Vizsla.Studio.Hosting;

/// <summary>Rejects requests with a foreign Host, and state-changing requests with a foreign Origin.</summary>
/// <remarks>
/// A page elsewhere can point its own name at 127.0.0.1 (DNS rebinding); its requests then carry that name as Host. Addresses written
/// as numbers cannot be rebound. Requests that change something, and WebSockets, must not come from another page (Origin).
/// </remarks>
internal sealed class HostGuard(RequestDelegate next, HostOptions options)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!IsOwnName(request.Host.Host))
        {
            return ErrorAnswers.WriteAsync(context, StatusCodes.Status421MisdirectedRequest,
                "This server does not answer under that name. Call it by its address, or allow the name with --allowed_host.");
        }

        var isAllowed = request.Headers.Origin is [{ } other] && options.AllowedOrigins.Any(o => other.Equals(o.TrimEnd('/'), StringComparison.OrdinalIgnoreCase));
        if (isAllowed && Answer(context))
        {
            return Task.CompletedTask;
        }

        if (!isAllowed && request.Headers.Origin is [{ Length: > 0 } origin] && ChangesSomething(request) && !IsSameOrigin(origin, request))
        {
            return ErrorAnswers.WriteAsync(context, StatusCodes.Status403Forbidden, "A page of another origin may not call this server.");
        }

        return next(context);
    }

    // Headers for a page of an allowed origin; the question that its browser asks first is answered here.
    private static bool Answer(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = context.Request.Headers.Origin;
        headers.Vary = "Origin";
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        if (!HttpMethods.IsOptions(context.Request.Method) || context.Request.Headers.AccessControlRequestMethod.Count == 0)
        {
            return false;
        }

        headers.AccessControlAllowMethods = "GET, POST";
        headers.AccessControlAllowHeaders = "Authorization, Content-Type";
        headers.AccessControlMaxAge = "600";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private bool IsOwnName(string host)
    {
        var name = host.Trim('[', ']');
        if (IPAddress.TryParse(name, out var address))
        {
            return !options.IsLoopback || IPAddress.IsLoopback(address);
        }

        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || options.AllowedHosts.Contains(name, StringComparer.OrdinalIgnoreCase)
            || (!options.IsLoopback && name.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase));
    }

    private static bool ChangesSomething(HttpRequest request) =>
        !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method))
        || request.Headers.ContainsKey("Sec-WebSocket-Key");

    private static bool IsSameOrigin(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && string.Equals(uri.Authority, new HostString(request.Host.Value ?? "").ToUriComponent(), StringComparison.OrdinalIgnoreCase);
}
