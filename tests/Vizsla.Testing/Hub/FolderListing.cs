using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Vizsla.Testing.Hub;

/// <summary>A folder as recordings show it: files with size and content, links with targets, empty folders.</summary>
public static partial class FolderListing
{
    /// <summary>Rows of a folder, in order of paths.</summary>
    public static IReadOnlyList<string> Of(string folder) =>
        [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Where(i => i is not DirectoryInfo d || !d.EnumerateFileSystemInfos().Any())
            .Select(i => Row(i, Incomplete().Replace(Path.GetRelativePath(folder, i.FullName).Replace('\\', '/'), ".<8 hex>.incomplete")))
            .Order(StringComparer.Ordinal)];

    /// <summary>Rows of a recorded folder, in the same words.</summary>
    public static IReadOnlyList<string> Of(JsonArray recorded) => [.. recorded.Select(r => Row(r!.AsObject())).Order(StringComparer.Ordinal)];

    private static string Row(FileSystemInfo info, string path)
    {
        if (info.LinkTarget is { } link)
        {
            return $"{path} -> {link}";
        }

        if (info is not FileInfo file)
        {
            return $"{path} (empty folder)";
        }

        var bytes = File.ReadAllBytes(file.FullName);
        var text = Time().Replace(Encoding.UTF8.GetString(bytes), "<unix time>");
        return text.Contains("<unix time>", StringComparison.Ordinal) ? $"{path}: {text}" : $"{path}: {Hash(bytes)}";
    }

    private static string Row(JsonObject row)
    {
        var path = (string)row["path"]!;
        return row["link"] is { } link ? $"{path} -> {link}"
            : row["folder"] is not null ? $"{path} (empty folder)"
            : (string?)row["text"] is { } text ? (text.Contains("<unix time>", StringComparison.Ordinal) ? $"{path}: {text}" : $"{path}: {Hash(Encoding.UTF8.GetBytes(text))}")
            : $"{path}: {row["sha256"]}";
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    [GeneratedRegex(@"\b\d{10}\.\d{1,7}\b")]
    private static partial Regex Time();

    [GeneratedRegex(@"\.[0-9a-f]{8}\.incomplete$")]
    private static partial Regex Incomplete();
}
