using System.Collections.Frozen;

namespace Vizsla.Datasets.Readers;

/// <summary>What a folder of unknown files holds, told by the extension that most of them have.</summary>
/// <remarks>Source: datasets <c>infer_module_for_data_files_list</c>.</remarks>
internal static class DataFormat
{
    public const string Images = "imagefolder";
    public const string Parquet = "parquet";

    // Formats that Python reads and this project does not: they count, so that a folder of them is not taken for pictures.
    private static readonly FrozenDictionary<string, string> s_others = new Dictionary<string, string>
    {
        ["csv"] = ".csv .tsv",
        ["json"] = ".json .jsonl .ndjson",
        [Parquet] = ".parquet .geoparquet .gpq",
        ["arrow"] = ".arrow",
        ["text"] = ".txt",
        ["conll"] = ".conll .conllu",
        ["webdataset"] = ".tar",
        ["xml"] = ".xml",
        ["hdf5"] = ".hdf5 .h5",
        ["eval"] = ".eval",
        ["lance"] = ".lance",
        ["audiofolder"] = ".aiff .au .flac .mp3 .m4a .ogg .opus .wav .wma .aac",
        ["videofolder"] = ".mkv .mp4 .avi .mov .mpeg .mpg",
        ["pdffolder"] = ".pdf",
    }.SelectMany(m => m.Value.Split(' ').Select(e => KeyValuePair.Create(e, m.Key))).ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly string[] s_favorites = [".parquet", ".lance", ".arrow", ".jsonl", ".json", ".csv"];

    /// <summary>Whether Python would look at a file of this name at all.</summary>
    public static bool IsAllowed(string path) => Extensions(path).Any(e => e == ".zip" || ModuleOf(e) is not null);

    /// <summary>Whether a file belongs to a dataset of pictures.</summary>
    public static bool IsPictureData(string path) => ImageFolderReader.IsMetadata(path) || Extensions(path).Any(e => e == ".zip" || ModuleOf(e) == Images);

    /// <summary>Whether a file belongs to a dataset in Parquet.</summary>
    public static bool IsParquetData(string path) => Extensions(path).Any(e => ModuleOf(e) == Parquet);

    /// <summary>The format that most files have; metadata files do not count beside others.</summary>
    /// <returns>Python's name of the format, or null where no file has one.</returns>
    public static string? Infer(IEnumerable<string> files) => files
        .SelectMany(f => Extensions(f).Select(e => (Extension: e.ToLowerInvariant(), IsMetadata: ImageFolderReader.IsMetadata(f))))
        .CountBy(e => e)
        .OrderBy(c => c.Key.IsMetadata)
        .ThenByDescending(c => c.Value)
        .ThenBy(c => Array.IndexOf(s_favorites, c.Key.Extension) is >= 0 and var place ? place : s_favorites.Length)
        .ThenByDescending(c => c.Key.Extension, StringComparer.Ordinal)
        .Select(c => c.Key.Extension == ".zip" ? Images : ModuleOf(c.Key.Extension))
        .FirstOrDefault(m => m is not null);

    private static string? ModuleOf(string extension) =>
        s_others.TryGetValue(extension, out var module) ? module
        : !(extension.Any(char.IsUpper) && extension.Any(char.IsLower)) && ImageExtensions.IsImage("a" + extension) ? Images
        : null;

    private static IEnumerable<string> Extensions(string path) => Path.GetFileName(path).Split('.').Skip(1).Select(e => "." + e);
}
