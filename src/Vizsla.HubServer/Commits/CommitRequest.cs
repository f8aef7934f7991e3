using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Commits;

/// <summary>One change of a commit that has arrived.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Path">Path in the repository, checked.</param>
/// <param name="Item">The new file; null for a removal.</param>
internal sealed record CommitChange(ChangeKind Kind, string Path, TreeItem? Item);

/// <summary>What a change does.</summary>
internal enum ChangeKind
{
    /// <summary>A regular file, its content stored already.</summary>
    File,

    /// <summary>A large file; its size is looked up.</summary>
    LargeFile,

    /// <summary>A file is removed.</summary>
    DeletedFile,

    /// <summary>A folder is removed.</summary>
    DeletedFolder,
}

/// <summary>A commit as it arrives: lines of JSON, read one by one; contents go to the database as they come, so that memory does not grow with the commit.</summary>
internal sealed class CommitRequest
{
    private const int MaxLineBesideContent = 64 * 1024;
    private const int LongestName = 255;
    private const int FlushBytes = 8 * 1024 * 1024;

    private readonly HubDatabase _database;
    private readonly List<CommitChange> _changes = [];
    private readonly List<byte[]> _pending = [];
    private readonly long _largestFile;
    private long _pendingBytes;

    private CommitRequest(HubDatabase database, long largestFile)
    {
        (_database, _largestFile) = (database, largestFile);
    }

    /// <summary>The title.</summary>
    public string Summary { get; private set; } = "";

    /// <summary>The text below the title.</summary>
    public string Description { get; private set; } = "";

    /// <summary>What the branch must be at; null for whatever it is.</summary>
    public string? ParentCommit { get; private set; }

    /// <summary>The changes, in order.</summary>
    public IReadOnlyList<CommitChange> Changes => _changes;

    /// <summary>Reads a commit.</summary>
    /// <param name="body">Lines of JSON.</param>
    /// <param name="database">Takes the contents as they come.</param>
    /// <param name="largestFile">Bytes that a regular file may have; larger ones go to the storage.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="Refusal">It is not one.</exception>
    public static async Task<CommitRequest> ReadAsync(Stream body, HubDatabase database, long largestFile, CancellationToken cancellationToken)
    {
        var request = new CommitRequest(database, largestFile);
        var hasHeader = false;
        await foreach (var line in LinesAsync(body, largestFile, cancellationToken).ConfigureAwait(false))
        {
            var (key, value) = Parse(line);
            if (key == "header")
            {
                hasHeader = true;
                request.Summary = value.Word("summary") is { Length: > 0 } summary ? summary : throw Bad("a commit needs a summary");
                request.Description = value.Word("description") ?? "";
                request.ParentCommit = value.Word("parentCommit");
                continue;
            }

            request.Add(key, value);
            if (request._pendingBytes >= FlushBytes)
            {
                await request.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        await request.FlushAsync(cancellationToken).ConfigureAwait(false);
        return hasHeader ? request : throw Bad("the header is missing");
    }

    private void Add(string key, JsonObject value)
    {
        switch (key)
        {
            case "file":
                var content = Content(value);
                if (content.Length > _largestFile)
                {
                    throw TooLarge(_largestFile);
                }

                _pending.Add(content);
                _pendingBytes += content.Length;
                _changes.Add(new CommitChange(ChangeKind.File, CheckedPath(value), TreeItem.File("", GitIds.Blob(content), content.Length)));
                break;
            case "lfsFile":
                var oid = value.Required("oid");
                _changes.Add(new CommitChange(ChangeKind.LargeFile, CheckedPath(value), Vizsla.HubServer.LargeFiles.LargeFileName.IsValid(oid) ? TreeItem.Large("", oid, 0) : throw Bad($"'{oid}' is not a SHA-256")));
                break;
            case "deletedFile":
                _changes.Add(new CommitChange(ChangeKind.DeletedFile, CheckedPath(value), null));
                break;
            case "deletedFolder":
                _changes.Add(new CommitChange(ChangeKind.DeletedFolder, CheckedPath(value), null));
                break;
            default:
                throw Bad($"unknown operation '{key}'");
        }
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_pending.Count == 0)
        {
            return;
        }

        await _database.WriteAsync(
            c =>
            {
                foreach (var content in _pending)
                {
                    BlobStore.Add(c, content);
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);
        _pending.Clear();
        _pendingBytes = 0;
    }

    private static (string Key, JsonObject Value) Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return Answers.Checked(JsonNode.Parse(line, documentOptions: Answers.Strict)) is JsonObject row && row["value"] is JsonObject value ? (row.Required("key"), value) : throw Bad("a line is not a key with a value");
        }
        catch (JsonException)
        {
            throw Bad("a line is not JSON, or it repeats a key");
        }
        catch (InvalidOperationException)
        {
            throw Answers.NotUnicode();
        }
    }

    private static byte[] Content(JsonObject value)
    {
        var text = value.Required("content");
        if (value.Word("encoding") is not ("base64" or null) and var encoding)
        {
            return encoding == "utf-8" ? System.Text.Encoding.UTF8.GetBytes(text) : throw Bad($"unknown encoding '{encoding}'");
        }

        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw Bad("a content is not base64");
        }
    }

    private static string CheckedPath(JsonObject value)
    {
        var path = value.Required("path").TrimEnd('/');
        var parts = path.Split('/');
        return path.Length is > 0 and <= 1024 && !path.Any(char.IsControl) && parts.All(p => p.Length <= LongestName) && !path.Contains('\\', StringComparison.Ordinal)
            && !parts.Any(p => p is "" or "." or ".." || p.Equals(".git", StringComparison.OrdinalIgnoreCase)) && !(path.Length > 1 && path[1] == ':')
            ? path
            : throw Bad($"'{path}' is not a valid path in a repository");
    }

    private static Refusal TooLarge(long bytes) => new(413, $"A regular file of a commit has more than {bytes} bytes; send it as a large file.");

    private static Refusal Bad(string what) => new(400, $"Bad commit: {what}.");

    private static async IAsyncEnumerable<byte[]> LinesAsync(Stream body, long largestFile, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var longest = (largestFile * 4 / 3) + MaxLineBesideContent;
        var reader = PipeReader.Create(body);
        var searched = 0L;
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = result.Buffer;

            // What was searched before holds no end of a line: each byte is looked at once.
            while (buffer.Slice(searched).PositionOf((byte)'\n') is { } end)
            {
                if (buffer.Slice(0, end) is { IsEmpty: false } line)
                {
                    yield return line.Length <= longest ? line.ToArray() : throw TooLarge(largestFile);
                }

                buffer = buffer.Slice(buffer.GetPosition(1, end));
                searched = 0;
            }

            if (buffer.Length > longest)
            {
                throw TooLarge(largestFile);
            }

            if (result.IsCompleted)
            {
                if (!buffer.IsEmpty)
                {
                    yield return buffer.ToArray();
                }

                yield break;
            }

            searched = buffer.Length;
            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }
}
