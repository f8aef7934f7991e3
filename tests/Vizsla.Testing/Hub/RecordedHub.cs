using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Vizsla.Testing.Hub;

/// <summary>Answers as a recording did, step by step, and notes every request that differs from it.</summary>
public sealed class RecordedHub : IAsyncDisposable
{
    private const string RecordedHubAddress = "http://127.0.0.1:18080";
    private const string RecordedStorageAddress = "http://127.0.0.1:18081";

    private readonly RawServer _server;
    private readonly Dictionary<string, byte[]> _contents = [];
    private readonly List<string> _faults = [];
    private readonly List<(RecordedExchange Exchange, RawRequest Request)> _seen = [];
    private List<RecordedExchange> _open = [];

    /// <param name="contents">Bytes that answers are made of; the recordings hold only their SHA-256.</param>
    public RecordedHub(IEnumerable<byte[]> contents)
    {
        foreach (var content in contents)
        {
            Add(content);
        }

        _server = new RawServer(Answer);
    }

    /// <summary>Address of the hub.</summary>
    public Uri Endpoint => _server.Hub;

    /// <summary>Waits for a request instead of answering; null serves all.</summary>
    public Func<RawRequest, RawAnswer?>? Override { get; set; }

    /// <summary>Adds bytes that an answer may be made of.</summary>
    public void Add(byte[] content) => _contents[Convert.ToHexStringLower(SHA256.HashData(content))] = content;

    /// <summary>Starts a step: what is asked from here on must be its exchanges.</summary>
    public void Begin(IReadOnlyList<RecordedExchange> exchanges)
    {
        _open = [.. exchanges];
        _seen.Clear();
        _faults.Clear();
    }

    /// <summary>Ends a step.</summary>
    /// <param name="inOrder">Whether requests must have come in the recorded order, those that run side by side excepted.</param>
    /// <returns>What differed; empty when nothing did.</returns>
    public IReadOnlyList<string> End(bool inOrder)
    {
        lock (_faults)
        {
            var faults = _faults.Concat(_open.Select(e => $"not asked: {e.Key}")).ToList();
            var order = _seen.Where(s => !s.Exchange.IsParallel).Select(s => s.Exchange.Key).ToList();
            var expected = _seen.Select(s => s.Exchange).Where(e => !e.IsParallel).OrderBy(e => Array.IndexOf([.. e.Json.Parent!.AsArray()], e.Json)).Select(e => e.Key).ToList();
            if (inOrder && faults.Count == 0 && !order.SequenceEqual(expected))
            {
                faults.Add($"order:\n  {string.Join("\n  ", order)}\nexpected:\n  {string.Join("\n  ", expected)}");
            }

            return faults;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private RawAnswer Answer(RawRequest request)
    {
        if (Override?.Invoke(request) is { } other)
        {
            return other;
        }

        lock (_faults)
        {
            var exchange = _open.FirstOrDefault(e => e.Key == request.ToString());
            if (exchange is null)
            {
                _faults.Add($"unexpected: {request}");
                return new RawAnswer(400, [KeyValuePair.Create("X-Error-Message", "not in the recording")], []);
            }

            _open.Remove(exchange);
            _seen.Add((exchange, request));
            _faults.AddRange(Differences(exchange, request));
            return Make(exchange.Response);
        }
    }

    private IEnumerable<string> Differences(RecordedExchange exchange, RawRequest request)
    {
        var headers = exchange.Request["headers"]!.AsObject();
        foreach (var name in new[] { "authorization", "range" })
        {
            var (recorded, sent) = ((string?)headers[name], request.Headers.GetValueOrDefault(name));
            if (recorded != sent)
            {
                yield return $"{exchange.Key}: {name} is '{sent}', recorded '{recorded}'";
            }
        }

        if (headers["content-type"] is { } type && request.Headers.GetValueOrDefault("content-type")?.Split(';')[0] != ((string)type!).Split(';')[0])
        {
            yield return $"{exchange.Key}: content-type is '{request.Headers.GetValueOrDefault("content-type")}', recorded '{type}'";
        }

        var body = Localized(RecordedBody.Show(request.Body, request.Headers.GetValueOrDefault("content-type")));
        if (!JsonNode.DeepEquals(body, exchange.Request["body"]))
        {
            yield return $"{exchange.Key}: body\n  {body?.ToJsonString()}\nrecorded\n  {exchange.Request["body"]?.ToJsonString()}";
        }
    }

    // What the client learned here goes back to what the recorded client saw.
    private JsonNode? Localized(JsonNode? body) => body is null ? null : JsonNode.Parse(body.ToJsonString()
        .Replace(_server.Hub.GetLeftPart(UriPartial.Authority), RecordedHubAddress, StringComparison.Ordinal));

    private RawAnswer Make(JsonObject response)
    {
        var body = Bytes(response["body"]);
        var headers = response["headers"]!.AsObject().Select(h => KeyValuePair.Create(h.Key, Here((string)h.Value!)))
            .Where(h => h.Key != "Content-Length" || response["body"] is null).Append(KeyValuePair.Create("X-Request-Id", "Root=1-0-0")).ToList();
        if (headers.Any(h => h is { Key: "Content-Encoding", Value: "gzip" }))
        {
            using var zipped = new MemoryStream();
            using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest))
            {
                gzip.Write(body);
            }

            body = zipped.ToArray();
        }

        return new RawAnswer((int)response["status"]!, headers, body, (int?)response["connection_closed_after_bytes"]);
    }

    private byte[] Bytes(JsonNode? body)
    {
        switch (body)
        {
            case null:
                return [];
            case JsonValue text:
                return Encoding.UTF8.GetBytes(Here((string)text!));
            case JsonObject map when map["json"] is { } json:
                return Encoding.UTF8.GetBytes(Here(json.ToJsonString()));
            default:
                var hash = (string)body["sha256"]!;
                if (_contents.TryGetValue(hash, out var bytes))
                {
                    return bytes;
                }

                _faults.Add($"the content {hash} of {body["bytes"]} bytes is not among those given");
                return [];
        }
    }

    private string Here(string text) => text
        .Replace(RecordedStorageAddress, _server.Storage.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
        .Replace(RecordedHubAddress, _server.Hub.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
}
