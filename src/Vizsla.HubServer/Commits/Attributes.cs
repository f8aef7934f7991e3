using System.Text;
using Vizsla.Hub;

namespace Vizsla.HubServer.Commits;

/// <summary>A repository's <c>.gitattributes</c>: which names are large files.</summary>
internal static class Attributes
{
    /// <summary>Name of the file.</summary>
    public const string FileName = ".gitattributes";

    private static readonly string[] Endings =
    [
        "7z", "arrow", "bin", "bz2", "ckpt", "ftz", "gz", "h5", "joblib", "mlmodel", "model", "msgpack", "npy", "npz", "onnx", "ot", "parquet", "pb", "pickle", "pkl",
        "pt", "pth", "rar", "safetensors", "tar", "tflite", "tgz", "wasm", "xz", "zip", "zst",
    ];

    private static readonly string[] MediaEndings =
    [
        "avi", "flac", "gif", "jpg", "jpeg", "jxl", "lz4", "mds", "mkv", "mov", "mp3", "mp4", "ogg", "opus", "pcm", "png", "sam", "raw", "tiff", "wav", "webm", "webp",
    ];

    private static readonly string[] OtherPatterns = ["*.lfs.*", "saved_model/**/*", "*.tar.*", "*tfevents*"];

    /// <summary>The file of a new repository.</summary>
    public static byte[] Initial(RepoType type) => Encoding.UTF8.GetBytes(string.Concat(
        Endings.Select(e => "*." + e).Concat(OtherPatterns).Concat(type is RepoType.Dataset ? MediaEndings.Select(e => "*." + e) : []).Select(Line)));

    /// <summary>The file with one more name.</summary>
    public static byte[] With(byte[] content, string path) => [.. content, .. Encoding.UTF8.GetBytes(Line(path.Replace(" ", "[[:space:]]", StringComparison.Ordinal)))];

    /// <summary>Patterns of large files.</summary>
    public static IReadOnlyList<string> Patterns(byte[] content) =>
        [.. Encoding.UTF8.GetString(content).Split('\n').Where(l => l.Contains("filter=lfs", StringComparison.Ordinal)).Select(l => l.Split(' ', '\t')[0].Replace("[[:space:]]", " ", StringComparison.Ordinal))];

    /// <summary>Whether a path matches one of the patterns, as a whole or by its last part.</summary>
    public static bool Match(IReadOnlyList<string> patterns, string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return patterns.Any(p => GlobPattern.IsMatch(path, p) || GlobPattern.IsMatch(name, p));
    }

    private static string Line(string pattern) => $"{pattern} filter=lfs diff=lfs merge=lfs -text\n";
}
