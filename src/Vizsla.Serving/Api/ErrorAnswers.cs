using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Vizsla.Serving.Api;

/// <summary>Turns exceptions into one sentence for the caller; paths and stack traces stay in the server's log.</summary>
internal sealed partial class ErrorAnswers(RequestDelegate next, ILogger<ErrorAnswers> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone: there is nobody to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, e, logger).ConfigureAwait(false);
        }
    }

    /// <summary>Answers an exception: its own sentence if it was meant for the caller, else one that says nothing about the inside.</summary>
    public static Task AnswerAsync(HttpContext context, Exception exception, ILogger logger)
    {
        switch (exception)
        {
            case RefusedException refused:
                if (refused.RetryAfter is { } wait)
                {
                    context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
                }

                return WriteAsync(context, refused.Status, refused.Message);
            case BadHttpRequestException bad:
                return WriteAsync(context, bad.StatusCode, bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? "The request is larger than this server takes."
                    : "The request cannot be read.");
            default:
                Failed(logger, context.Request.Method, exception);
                return WriteAsync(context, StatusCodes.Status500InternalServerError, "The server failed to answer; its log says why.");
        }
    }

    /// <summary>Says in a sentence what a bare status means, such as that of an address that is not there.</summary>
    public static Task ExplainStatusAsync(HttpContext context)
    {
        var status = context.Response.StatusCode;
        return WriteAsync(context, status, status switch
        {
            StatusCodes.Status404NotFound => "There is nothing at this address; see /openapi.json.",
            StatusCodes.Status405MethodNotAllowed => $"This address does not support {context.Request.Method}; see /openapi.json.",
            StatusCodes.Status415UnsupportedMediaType => $"This address does not accept '{context.Request.ContentType}'; see /openapi.json.",
            _ => $"The request was answered with status {status}.",
        });
    }

    /// <summary>Writes <c>{"error": "..."}</c>, the shape that Hugging Face's endpoints have.</summary>
    public static Task WriteAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new ErrorAnswer(message), AnswerJson.Plain.ErrorAnswer, cancellationToken: context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed")]
    private static partial void Failed(ILogger logger, string method, Exception exception);
}

/// <summary>The body of an error response.</summary>
/// <param name="Error">One sentence.</param>
internal sealed record ErrorAnswer([property: JsonPropertyName("error")] string Error);
