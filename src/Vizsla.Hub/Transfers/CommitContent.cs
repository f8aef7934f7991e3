using System.Net;
using System.Net.Http.Headers;
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
        await stream.WriteAsync(HubApi.Bytes(line), cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync("\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>One line of a commit.</summary>
/// <param name="Key">What it is: <c>file</c>, <c>lfsFile</c>, <c>deletedFile</c>, <c>deletedFolder</c>.</param>
/// <param name="Value">The rest; null for a regular file, which is read when it is sent.</param>
/// <param name="File">The regular file; null for the others.</param>
internal sealed record CommitLine(string Key, JsonObject? Value, PreparedFile? File)
{
    /// <summary>A regular file.</summary>
    public static CommitLine Regular(PreparedFile file) => new("file", null, file);

    /// <summary>A large file that the storage has.</summary>
    /// <param name="path">Path in the repository.</param>
    /// <param name="oid">SHA-256.</param>
    /// <param name="size">Bytes; null in a copy.</param>
    public static CommitLine Large(string path, string oid, long? size)
    {
        var value = new JsonObject { ["path"] = path, ["algo"] = "sha256", ["oid"] = oid };
        if (size is not null)
        {
            value["size"] = size;
        }

        return new("lfsFile", value, null);
    }

    /// <summary>A removal.</summary>
    public static CommitLine Delete(CommitDelete delete) =>
        new(delete.IsFolder ? "deletedFolder" : "deletedFile", new JsonObject { ["path"] = delete.Path + (delete.HasSlash ? "/" : "") }, null);
}
