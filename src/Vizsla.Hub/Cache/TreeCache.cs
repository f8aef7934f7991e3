using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Hub.Cache;

/// <summary>A commit's listing on disk, so that a snapshot can be checked without asking.</summary>
/// <remarks>Source: huggingface_hub 2.x <c>_tree_cache.py</c>; the same files.</remarks>
internal static class TreeCache
{
    private const int Version = 1;

    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, IndentSize = 1, NewLine = "\n" };

    /// <summary>Paths of a commit's files; null when the listing is not kept, or not one that this version reads.</summary>
    /// <param name="folder">The repository's folder in the cache, or a local folder's state.</param>
    /// <param name="commit">The commit.</param>
    public static IReadOnlyList<string>? Read(string folder, string commit)
    {
        var file = PathOf(folder, commit);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(File.ReadAllText(file)) is JsonObject json && (int?)json["format_version"] == Version && json["files"] is JsonObject files
                ? [.. files.Select(f => f.Key)]
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // A damaged listing is asked for again.
            return null;
        }
    }

    /// <summary>Keeps a commit's listing.</summary>
    public static void Write(string folder, string commit, IEnumerable<TreeEntry> entries)
    {
        var files = new JsonObject();
        foreach (var entry in entries.Where(e => !e.IsFolder).OrderBy(e => e.Path, StringComparer.Ordinal))
        {
            var row = new JsonObject { ["size"] = entry.Size, ["blob_id"] = entry.Oid };
            if (entry.LfsOid is { } lfs)
            {
                row["lfs_sha256"] = lfs;
                row["lfs_size"] = entry.Size;
            }

            files[entry.Path] = row;
        }

        var json = new JsonObject { ["format_version"] = Version, ["files"] = files };
        AtomicFile.Write(PathOf(folder, commit), PythonEscapes(json.ToJsonString(Format)));
    }

    private static string PathOf(string folder, string commit) => Path.Combine(folder, "trees", commit + ".json");

    // The default encoder writes \u00E9 and escapes +, <, > and &; Python writes \u00e9 and leaves those alone.
    private static string PythonEscapes(string json) => System.Text.RegularExpressions.Regex.Replace(
        json, @"\\u([0-9A-F]{4})|\\\\",
        m => m.Value == @"\\" ? m.Value : Convert.ToInt32(m.Groups[1].Value, 16) is >= 0x20 and < 0x7F and var c ? Ascii((char)c) : m.Value.ToLowerInvariant());

    private static string Ascii(char c) => c == '"' ? "\\\"" : c.ToString();
}
