using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;

namespace Vizsla.Hub.Transfers;

/// <summary>Sends requests: authorization, redirects, retries, errors.</summary>
/// <remarks>
/// The token goes into the header of requests to the endpoint's own origin (scheme, host and port) and nowhere else,
/// whatever a redirect or an answer's address says.
/// </remarks>
internal sealed partial class HubHttp : IDisposable
{
    private const int MaxRedirects = 10;
    private const int BufferSize = 16 * 1024;

    private readonly HttpClient _plain;
    private readonly HttpClient _compressed;
    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public HubHttp(HubOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _plain = CreateClient(DecompressionMethods.None);
        _compressed = CreateClient(DecompressionMethods.GZip | DecompressionMethods.Deflate);
    }

    /// <summary>The clock of waits and dates.</summary>
    public TimeProvider Time => _time;

    /// <summary>Sends a request, with redirects and retries, until it succeeds.</summary>
    /// <param name="create">Makes the request; called once per attempt and redirect.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="retry">What is retried.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The answer, its body not read yet; the caller disposes it.</returns>
    /// <exception cref="HubException">The Hub refuses or cannot be reached, or offline mode is on.</exception>
    public async Task<HttpResponseMessage> SendAsync(Func<HubRequest> create, RequestSubject subject, RetryPolicy retry, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan? asked = null;
            HubException failure;
            try
            {
                var response = await FollowAsync(create(), subject, cancellationToken).ConfigureAwait(false);
                if (response.IsSuccessStatusCode || IsRedirect(response))
                {
                    return response;
                }

                using (response)
                {
                    failure = await HubErrors.ReadAsync(response, subject, _options, cancellationToken).ConfigureAwait(false);
                    if (!retry.Covers(response.StatusCode))
                    {
                        throw failure;
                    }

                    asked = RateLimit.Of(response, _time.GetUtcNow());
                }
            }
            catch (HubException e) when (e.Kind == HubErrorKind.Connection && retry.Connection)
            {
                failure = e;
            }

            if (attempt >= retry.MaxRetries)
            {
                throw failure;
            }

            var wait = RetryPolicy.Wait(attempt, asked);
            LogRetry(failure.Message, wait.TotalSeconds, attempt + 1, retry.MaxRetries);
            await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a whole body; one that falls silent ends the wait.</summary>
    /// <param name="response">Its body is not read yet.</param>
    /// <param name="silence">How long to wait for the next bytes.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="TimeoutException">No bytes came for that long.</exception>
    public static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, TimeSpan silence, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(silence);
        try
        {
            using var body = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
            using var bytes = new MemoryStream();
            var buffer = new byte[BufferSize];
            int read;
            while ((read = await body.ReadAsync(buffer, timeout.Token).ConfigureAwait(false)) > 0)
            {
                bytes.Write(buffer, 0, read);
                timeout.CancelAfter(silence);
            }

            return bytes.ToArray();
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(Invariant($"the answer stopped, and nothing came for {silence.TotalSeconds:0.#} s"), e);
        }
    }

    /// <summary>Whether an address belongs to the configured endpoint: only those see the token.</summary>
    public bool IsEndpoint(Uri address) =>
        Uri.Compare(address, _options.Endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    public void Dispose()
    {
        _plain.Dispose();
        _compressed.Dispose();
    }

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is not null;

    private async Task<HttpResponseMessage> FollowAsync(HubRequest request, RequestSubject subject, CancellationToken cancellationToken)
    {
        var address = request.Address;
        for (var redirect = 0; ; redirect++)
        {
            var response = await SendOnceAsync(request, address, subject, cancellationToken).ConfigureAwait(false);
            if (!IsRedirect(response))
            {
                return response;
            }

            var target = new Uri(address, response.Headers.Location!);
            // A HEAD that leads to another origin is itself the answer: it carries the file's metadata.
            var stays = Uri.Compare(address, target, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
            if (!stays && request.StopsAtOtherOrigin)
            {
                return response;
            }

            response.Dispose();
            if (redirect == MaxRedirects)
            {
                throw new HubException(HubErrorKind.NotAHub, $"{subject}: more than {MaxRedirects} redirects. Check HF_ENDPOINT and proxy settings.") { Repo = subject.Repo, Path = subject.Path, Revision = subject.Revision };
            }

            if (target.Scheme is not ("http" or "https") || (address.Scheme == "https" && target.Scheme == "http"))
            {
                throw new HubException(HubErrorKind.NotAHub, $"{subject}: the answer leads from '{address.Scheme}' to '{target.Scheme}', which is not followed. Check HF_ENDPOINT.") { Repo = subject.Repo, Path = subject.Path, Revision = subject.Revision };
            }

            address = target;
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HubRequest request, Uri address, RequestSubject subject, CancellationToken cancellationToken)
    {
        if (_options.Offline)
        {
            throw HubErrors.Offline(subject);
        }

        using var message = new HttpRequestMessage(request.Method, address) { Content = request.Content?.Invoke(), Version = HttpVersion.Version11 };
        message.Headers.UserAgent.ParseAdd(UserAgent.Value);
        var plain = request.Method == HttpMethod.Head || request.Range is not null;
        if (plain)
        {
            message.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        }

        if (request.Accept is { } accept)
        {
            message.Headers.Accept.ParseAdd(accept);
        }

        if (request.Range is { } from)
        {
            message.Headers.Range = new RangeHeaderValue(from, null);
        }

        if (request.Authorize && _options.Token is { } token && IsEndpoint(address))
        {
            message.Headers.Authorization = token.Header;
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(request.Timeout);
        try
        {
            return await (plain ? _plain : _compressed).SendAsync(message, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw HubErrors.Unreachable(subject, address, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw HubErrors.Unreachable(subject, address, new TimeoutException(Invariant($"no answer within {request.Timeout.TotalSeconds:0} s"), e));
        }
    }

    private static HttpClient CreateClient(DecompressionMethods decompression)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = decompression,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Failure} Next attempt in {Seconds} s ({Retry} of {MaxRetries}).")]
    private partial void LogRetry(string failure, double seconds, int retry, int maxRetries);
}
