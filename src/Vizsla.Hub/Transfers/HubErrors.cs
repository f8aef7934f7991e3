using System.Net;
using System.Text.Json;

namespace Vizsla.Hub.Transfers;

/// <summary>Translates an error response into the exception that explains it.</summary>
/// <remarks>Source: huggingface_hub <c>hf_raise_for_status</c>, in its order of tests.</remarks>
internal static class HubErrors
{
    private const int LongestText = 600;

    /// <summary>The exception for an unsuccessful response.</summary>
    public static async Task<HubException> ReadAsync(HttpResponseMessage response, RequestSubject subject, HubOptions options, CancellationToken cancellationToken)
    {
        var (said, page) = await SaidAsync(response, options, cancellationToken).ConfigureAwait(false);
        var text = options.Token is { } token ? said?.Replace(token.Reveal(), token.ToString(), StringComparison.Ordinal) : said;
        return Create(response, subject, options, text, page);
    }

    /// <summary>The exception for a server that could not be reached or broke off.</summary>
    public static HubException Unreachable(RequestSubject subject, Uri address, Exception cause) =>
        new(HubErrorKind.Connection, $"{subject}: no answer from {address.GetLeftPart(UriPartial.Authority)} ({cause.Message.TrimEnd('.')}). Check the connection, HF_ENDPOINT and proxy settings, then try again.", cause)
        {
            Repo = subject.Repo,
            Path = subject.Path,
            Revision = subject.Revision,
        };

    /// <summary>The exception for a request that must not be sent.</summary>
    public static HubException Offline(RequestSubject subject) =>
        new(HubErrorKind.NotCached, $"{subject}: it is not in the cache and offline mode is on. Unset HF_HUB_OFFLINE to ask the Hub.")
        {
            Repo = subject.Repo,
            Path = subject.Path,
            Revision = subject.Revision,
        };

    /// <summary>A header's single value, or null.</summary>
    public static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static HubException Create(HttpResponseMessage response, RequestSubject subject, HubOptions options, string? said, Uri? page)
    {
        var status = (int)response.StatusCode;
        var (kind, reason, advice) = Explain(response, subject, options);
        var request = Header(response, "X-Request-Id") ?? Header(response, "X-Amz-Cf-Id");
        var text = said is { Length: > 0 } && !reason.Contains(said, StringComparison.Ordinal) ? $" The Hub says: {said.TrimEnd('.')}." : "";
        return new HubException(kind, $"{subject}: {reason} (HTTP {status}{(request is null ? "" : $", request {request}")}).{text} {advice}")
        {
            Repo = subject.Repo,
            Path = subject.Path,
            Revision = subject.Revision,
            Status = response.StatusCode,
            RequestId = request,
            Commit = Header(response, "X-Repo-Commit"),
            Page = page,
        };
    }

    private static (HubErrorKind Kind, string Reason, string Advice) Explain(HttpResponseMessage response, RequestSubject subject, HubOptions options)
    {
        var code = Header(response, "X-Error-Code");
        var message = Header(response, "X-Error-Message");
        var host = options.Endpoint.GetLeftPart(UriPartial.Authority);
        return (code, response.StatusCode) switch
        {
            ("RevisionNotFound", _) => (HubErrorKind.RevisionNotFound, $"the repository has no revision '{subject.Revision}'", "Check the name of the branch, tag or commit."),
            ("EntryNotFound", _) => (HubErrorKind.EntryNotFound, "the repository has no such file or folder", "Check the path; it is case-sensitive."),
            ("GatedRepo", _) => (HubErrorKind.GatedRepository, "the repository is gated", $"Ask for access on {host}/{subject.Repo}, then log in with 'vizsla login'."),
            _ when message == "Access to this resource is disabled." => (HubErrorKind.DisabledRepository, "the Hub has disabled this repository", "Ask its owner or the Hub."),
            ("RepoNotFound", _) => NoRepository(host, options),
            (_, HttpStatusCode.Unauthorized) when message == "Invalid credentials in Authorization header" =>
                (HubErrorKind.Unauthorized, "the access token is not valid", "Log in again with 'vizsla login', or correct HF_TOKEN."),
            (_, HttpStatusCode.Unauthorized) when subject.Repo is not null => NoRepository(host, options),
            (_, HttpStatusCode.Unauthorized) => (HubErrorKind.Unauthorized, "an access token is needed", "Log in with 'vizsla login', or set HF_TOKEN."),
            (_, HttpStatusCode.Forbidden) => (HubErrorKind.Forbidden, "access is forbidden", "Use a token with the needed role; storage links expire, so a retry may also help."),
            (_, HttpStatusCode.BadRequest) => (HubErrorKind.BadRequest, "the Hub refuses the request", "Correct what it names and try again."),
            (_, HttpStatusCode.Conflict) => (HubErrorKind.Conflict, "it exists already", "Choose another name, or use what exists."),
            (_, HttpStatusCode.PreconditionFailed) => (HubErrorKind.ParentChanged, "somebody else has committed since", "Fetch the new state and commit again."),
            (_, HttpStatusCode.TooManyRequests) => (HubErrorKind.RateLimited, "too many requests", "Wait a little, then try again."),
            (_, >= HttpStatusCode.InternalServerError) => (HubErrorKind.ServerError, "the Hub failed", "Try again later."),
            (_, HttpStatusCode.NotFound) => (HubErrorKind.Other, "not found", "Check the address and HF_ENDPOINT."),
            _ => (HubErrorKind.Other, "the Hub refuses", "Read what it says and try again."),
        };
    }

    private static (HubErrorKind Kind, string Reason, string Advice) NoRepository(string host, HubOptions options) =>
        (HubErrorKind.RepositoryNotFound, $"{host} has no such repository, or it is private", options.Token is null
            ? "Check the name and the type; for a private repository log in with 'vizsla login' or set HF_TOKEN."
            : "Check the name and the type, and that the token may see it.");

    private static async Task<(string? Text, Uri? Page)> SaidAsync(HttpResponseMessage response, HubOptions options, CancellationToken cancellationToken)
    {
        var parts = new List<string>();
        Uri? page = null;
        if (Header(response, "X-Error-Message") is { } header)
        {
            parts.Add(header);
        }

        if (response.Content.Headers.ContentType?.MediaType is "application/json" && response.RequestMessage?.Method != HttpMethod.Head)
        {
            try
            {
                var bytes = await HubHttp.ReadBodyAsync(response, options.DownloadTimeout, cancellationToken).ConfigureAwait(false);
                using var json = JsonDocument.Parse(bytes);
                AddErrors(json.RootElement, parts);
                page = json.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("url", out var url) && Uri.TryCreate(url.ToString(), UriKind.Absolute, out var uri) ? uri : null;
            }
            catch (Exception e) when (e is JsonException or HttpRequestException or IOException or TimeoutException)
            {
                // The status alone must do: the text of the refusal cannot be read.
            }
        }

        var text = string.Join("; ", parts.Distinct()).ReplaceLineEndings(" ");
        return (text.Length == 0 ? null : text.Length > LongestText ? text[..LongestText] + "..." : text, page);
    }

    private static void AddErrors(JsonElement json, List<string> parts)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (json.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String)
        {
            parts.Add(error.GetString()!);
        }

        if (json.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array)
        {
            parts.AddRange(errors.EnumerateArray()
                .Where(e => e.ValueKind == JsonValueKind.Object && e.TryGetProperty("message", out var m) && m.ValueKind == JsonValueKind.String)
                .Select(e => e.GetProperty("message").GetString()!));
        }
    }
}
