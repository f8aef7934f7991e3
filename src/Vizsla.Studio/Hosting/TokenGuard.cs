using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.WebUtilities;
using Vizsla.Serving.Api;

namespace Vizsla.Studio.Hosting;

/// <summary>Asks every request for the token: <c>Authorization: Bearer TOKEN</c>, or <c>?token=TOKEN</c> once, which a cookie then remembers.</summary>
internal sealed class TokenGuard(RequestDelegate next, HostOptions options)
{
    private const string Cookie = "vizsla-token";
    private const string Parameter = "token";
    private const string Scheme = "Bearer ";

    private readonly byte[] _expected = Digest(options.Token ?? "");

    public Task InvokeAsync(HttpContext context)
    {
        if (string.IsNullOrEmpty(options.Token) || context.Request.Path.Value is "/healthz" or "/readyz")
        {
            return next(context);
        }

        if (context.Request.Query[Parameter] is [{ } given] && Matches(given) && HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.Cookies.Append(Cookie, Convert.ToHexString(_expected), new CookieOptions
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Strict,
                Secure = context.Request.IsHttps,
                IsEssential = true,
            });
            context.Response.Redirect(WithoutToken(context.Request));
            return Task.CompletedTask;
        }

        if (IsAllowed(context.Request))
        {
            return next(context);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return ErrorAnswers.WriteAsync(context, StatusCodes.Status401Unauthorized,
            "This server asks for its token: send 'Authorization: Bearer TOKEN', or open the address once with ?token=TOKEN.");
    }

    private bool IsAllowed(HttpRequest request)
    {
        if (request.Headers.Authorization is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return Matches(header[Scheme.Length..].Trim());
        }

        return request.Cookies[Cookie] is { } cookie
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(cookie), Encoding.ASCII.GetBytes(Convert.ToHexString(_expected)));
    }

    private bool Matches(string token) => CryptographicOperations.FixedTimeEquals(Digest(token), _expected);

    // The cookie holds a digest, so that the token itself is in no browser's cookie file.
    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes("vizsla-studio:" + token));

    private static string WithoutToken(HttpRequest request)
    {
        var rest = request.Query.Where(q => q.Key != Parameter).SelectMany(q => q.Value, (q, v) => KeyValuePair.Create(q.Key, v));
        return QueryHelpers.AddQueryString(UriHelper.BuildRelative(request.PathBase, request.Path), rest);
    }
}
