using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Vizsla.Hub.Transfers;

/// <summary>JSON requests to the endpoint's API.</summary>
internal sealed class HubApi(HubHttp http, HubOptions options)
{
    private readonly string _root = options.Endpoint.AbsoluteUri.TrimEnd('/');

    /// <summary>The sender beneath.</summary>
    public HubHttp Http => http;

    /// <summary>An address below the endpoint.</summary>
    /// <param name="path">Path with its query, percent-encoded.</param>
    public Uri Address(string path) => new(_root + path);

    /// <summary>The API address of a repository: <c>/api/models/owner/name</c> plus the rest.</summary>
    public Uri Address(RepoId repo, string rest = "") => Address($"/api/{repo.ApiSegment}/{repo.Id}{rest}");

    /// <summary>Reads a JSON document.</summary>
    /// <param name="address">Where.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<JsonNode> GetAsync(Uri address, RequestSubject subject, CancellationToken cancellationToken) =>
        (await GetPageAsync(address, subject, cancellationToken).ConfigureAwait(false)).Json;

    /// <summary>Reads a JSON document and where the next page is.</summary>
    public Task<(JsonNode Json, Uri? Next)> GetPageAsync(Uri address, RequestSubject subject, CancellationToken cancellationToken) =>
        GetPageAsync(address, subject, RetryPolicy.Repeatable, cancellationToken);

    /// <summary>Reads a JSON document and where the next page is, trying again as told.</summary>
    public async Task<(JsonNode Json, Uri? Next)> GetPageAsync(Uri address, RequestSubject subject, RetryPolicy retry, CancellationToken cancellationToken)
    {
        using var response = await http.SendAsync(
            () => new HubRequest(HttpMethod.Get, address) { Authorize = !options.DisableImplicitToken }, subject, retry, cancellationToken).ConfigureAwait(false);
        var next = HubErrors.Header(response, "Link") is { } link ? NextPage.Of(link, address) : null;
        return (await ReadAsync(response, subject, cancellationToken).ConfigureAwait(false), next);
    }

    /// <summary>Sends a body and reads the JSON answer; null when the answer is not JSON.</summary>
    /// <param name="method">The verb.</param>
    /// <param name="address">Where.</param>
    /// <param name="content">Makes the body.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="retry">What is retried.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<JsonNode?> SendAsync(HttpMethod method, Uri address, Func<HttpContent>? content, RequestSubject subject, RetryPolicy retry, CancellationToken cancellationToken)
    {
        using var response = await http.SendAsync(() => new HubRequest(method, address) { Content = content }, subject, retry, cancellationToken).ConfigureAwait(false);
        return response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.OrdinalIgnoreCase) is true
            ? await ReadAsync(response, subject, cancellationToken).ConfigureAwait(false)
            : null;
    }

    /// <summary>Posts JSON and reads the JSON answer.</summary>
    public async Task<JsonNode> PostAsync(Uri address, JsonNode body, RequestSubject subject, CancellationToken cancellationToken) =>
        await SendAsync(HttpMethod.Post, address, () => Json(body), subject, RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false)
            ?? throw NotJson(subject, null);

    /// <summary>A JSON body.</summary>
    public static HttpContent Json(JsonNode body, string mediaType = "application/json")
    {
        var content = new ByteArrayContent(Bytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }

    /// <summary>JSON as UTF-8, characters as they are: these documents go into no page.</summary>
    public static byte[] Bytes(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            node.WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the JSON of an answer.</summary>
    internal async Task<JsonNode> ReadAsync(HttpResponseMessage response, RequestSubject subject, CancellationToken cancellationToken)
    {
        try
        {
            return JsonNode.Parse(await HubHttp.ReadBodyAsync(response, options.DownloadTimeout, cancellationToken).ConfigureAwait(false)) ?? throw NotJson(subject, null);
        }
        catch (JsonException e)
        {
            throw NotJson(subject, e);
        }
        catch (Exception e) when (e is not HubException and (HttpRequestException or IOException or TimeoutException))
        {
            throw HubErrors.Unreachable(subject, response.RequestMessage!.RequestUri!, e);
        }
    }

    private static HubException NotJson(RequestSubject subject, Exception? cause) =>
        new(HubErrorKind.NotAHub, $"{subject}: the answer is not the JSON that a Hub gives. Check HF_ENDPOINT, proxy and firewall.", cause)
        {
            Repo = subject.Repo,
            Path = subject.Path,
            Revision = subject.Revision,
        };
}

/// <summary>The <c>rel="next"</c> of a <c>Link</c> header.</summary>
internal static partial class NextPage
{
    /// <summary>Where the next page is; null on the last.</summary>
    /// <param name="link">The header.</param>
    /// <param name="current">The page's own address.</param>
    public static Uri? Of(string link, Uri current) =>
        Next().Match(link) is { Success: true } match && Uri.TryCreate(current, match.Groups[1].Value, out var next) ? next : null;

    [GeneratedRegex(@"<([^>]+)>\s*;\s*rel=""?next""?")]
    private static partial Regex Next();
}
