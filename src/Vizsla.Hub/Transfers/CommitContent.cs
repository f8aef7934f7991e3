using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Hub.Transfers;

/// <summary>A commit's lines, one JSON document each, written as they are sent.</summary>
/// <remarks>Source: huggingface_hub <c>_prepare_commit_payload</c>.</remarks>
internal sealed class CommitContent : HttpContent
{
    private readonly JsonObject _header;
    private readonly IReadOnlyList<CommitLine> _lines;

    /// <param name="header">Title, description, parent.</param>
    /// <param name="lines">The changes.</param>
    public CommitContent(JsonObject header, IReadOnlyList<CommitLine> lines)
    {
        _header = header;
        _lines = lines;
        Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await WriteAsync(stream, "header", _header, cancellationToken).ConfigureAwait(false);
        foreach (var line in _lines)
        {
            var value = line.Value ?? await FileAsync(line.File!, cancellationToken).ConfigureAwait(false);
            await WriteAsync(stream, line.Key, value, cancellationToken).ConfigureAwait(false);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private static async Task<JsonObject> FileAsync(PreparedFile file, CancellationToken cancellationToken)
    {
        var stream = file.Source.Open();
        await using (stream.ConfigureAwait(false))
        {
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return new JsonObject { ["content"] = Convert.ToBase64String(bytes), ["path"] = file.Source.Path, ["encoding"] = "base64" };
        }
    }

    private static async Task WriteAsync(Stream stream, string key, JsonObject value, CancellationToken cancellationToken)
    {
        var line = new JsonObject { ["key"] = key, ["value"] = value.DeepClone() };
        await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, HubApi.Unescaped), cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync("\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
    }
}
