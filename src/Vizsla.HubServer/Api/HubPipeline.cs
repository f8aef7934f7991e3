using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;

namespace Vizsla.HubServer.Api;

/// <summary>Wraps every request: assigns a request id and turns exceptions into responses.</summary>
internal sealed partial class HubPipeline(RequestDelegate next, RepositoryStore repositories, Gate gate, HostGuard guard, ILogger<HubPipeline> logger)
{
    /// <summary>Handles a request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var id = $"Root=1-{RandomNumberGenerator.GetHexString(8, lowercase: true)}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}";
        context.Response.Headers["X-Request-Id"] = id;
        try
        {
            guard.Check(context.Request);
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
        catch (Exception e) when (IsDiskFull(e) && !context.Response.HasStarted)
        {
            LogFull(e.Message);
            await Answers.WriteAsync(context, new Refusal(StatusCodes.Status507InsufficientStorage, "The Hub's disk is full; nothing was stored. Ask its operator to make room.")).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has disconnected.
        }
        catch (IOException e) when (context.RequestAborted.IsCancellationRequested)
        {
            var path = context.Request.Path.ToUriComponent();
            LogGone(path, e.Message);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailed(e, context.Request.Method, context.Request.Path.ToUriComponent(), id);
            await Answers.WriteAsync(context, new Refusal(StatusCodes.Status500InternalServerError, "Internal error; the server's log has the details.")).ConfigureAwait(false);
        }
    }

    private async Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        if (refusal.Code == "RepoNotFound" || refusal.Status == StatusCodes.Status401Unauthorized)
        {
            var raw = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
            if (RepoTarget.Parse(raw) is { } target && repositories.Redirect(target.Id) is { } moved
                && repositories.Find(moved) is { } repository && gate.MaySee(context, repository) && Replaced(raw, target, moved) is { } address)
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

    // ENOSPC and EDQUOT; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL; SQLite's own word for it.
    private static bool IsDiskFull(Exception e) => e switch
    {
        SqliteException { SqliteErrorCode: 13 } => true,
        IOException io when OperatingSystem.IsWindows() => (io.HResult & 0xFFFF) is 112 or 39,
        IOException io => io.HResult is 28 or 122,
        _ => false,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "The disk is full ({Reason}).")]
    private partial void LogFull(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed ({RequestId}).")]
    private partial void LogFailed(Exception exception, string method, string path, string requestId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path}: the client disconnected ({Reason}).")]
    private partial void LogGone(string path, string reason);
}
