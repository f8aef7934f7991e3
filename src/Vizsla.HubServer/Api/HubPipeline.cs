using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;

namespace Vizsla.HubServer.Api;

/// <summary>Wraps every request: assigns a request id and turns exceptions into responses.</summary>
internal sealed partial class HubPipeline(RequestDelegate next, RepositoryStore repositories, ILogger<HubPipeline> logger)
{
    /// <summary>Handles a request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var id = $"Root=1-{RandomNumberGenerator.GetHexString(8, lowercase: true)}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}";
        context.Response.Headers["X-Request-Id"] = id;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (Refusal refusal) when (!context.Response.HasStarted)
        {
            await RefuseAsync(context, refusal).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await Answers.WriteAsync(context, new Refusal(e.StatusCode, e.Message)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has disconnected.
        }
        catch (IOException e) when (context.RequestAborted.IsCancellationRequested)
        {
            LogGone(context.Request.Path, e.Message);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailed(e, context.Request.Method, context.Request.Path, id);
            await Answers.WriteAsync(context, new Refusal(StatusCodes.Status500InternalServerError, "Internal error; the server's log has the details.")).ConfigureAwait(false);
        }
    }

    private async Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        if (refusal.Code == "RepoNotFound" || refusal.Status == StatusCodes.Status401Unauthorized)
        {
            var raw = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
            if (RepoTarget.Parse(raw) is { } target && repositories.Redirect(target.Id) is { } moved && Replaced(raw, target, moved) is { } address)
            {
                context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
                context.Response.Headers.Location = address;
                return;
            }

            // A browser asks its user for a name and a token as password.
            if (refusal.Status == StatusCodes.Status401Unauthorized && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal))
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"Vizsla Hub: user name and token\", charset=\"UTF-8\"";
            }
        }

        await Answers.WriteAsync(context, refusal).ConfigureAwait(false);
    }

    private static string? Replaced(string raw, RepoTarget target, Vizsla.Hub.RepoId moved)
    {
        var old = $"/{target.Id.Id}";
        var at = raw.IndexOf(old, StringComparison.Ordinal);
        return at < 0 ? null : $"{raw[..at]}/{moved.Id}{raw[(at + old.Length)..]}";
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed ({RequestId}).")]
    private partial void LogFailed(Exception exception, string method, PathString path, string requestId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path}: the client disconnected ({Reason}).")]
    private partial void LogGone(PathString path, string reason);
}
