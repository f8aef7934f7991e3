using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Splits;

/// <summary>One file of a prepared dataset.</summary>
/// <param name="File">Path below the output folder, separated by '/'.</param>
/// <param name="Source">Path below the folder of the pictures, separated by '/'.</param>
/// <param name="Label">Class name.</param>
/// <param name="Sha256">Hash of the content, hexadecimal.</param>
public sealed record SplitFileEntry(string File, string Source, string Label, string Sha256);

/// <summary>The content of <c>split.json</c>: which picture went where, and how to make the same split again.</summary>
/// <param name="Seed">Seed of the splits; null where a split file fixed them.</param>
/// <param name="Stratify">Whether they were stratified; null where a split file fixed them.</param>
/// <param name="TestSize">Asked size of the test split.</param>
/// <param name="ValidationSize">Asked size of the validation split.</param>
/// <param name="Splits">Files of each split, in the order of the split.</param>
public sealed record SplitManifest(
    uint? Seed, bool? Stratify, SplitSize? TestSize, SplitSize? ValidationSize, IReadOnlyDictionary<string, IReadOnlyList<SplitFileEntry>> Splits)
{
    /// <summary>Name of the file in a prepared folder.</summary>
    public const string FileName = "split.json";

    private const int FormatVersion = 1;

    /// <summary>Whether copies of a picture were kept in one split; the key is absent from the file where they were not looked for.</summary>
    public bool GroupDuplicates { get; init; }

    /// <summary>Number of files of each class in each split.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Counts => Splits.ToDictionary(
        s => s.Key,
        s => (IReadOnlyDictionary<string, int>)s.Value.CountBy(f => f.Label).OrderBy(c => c.Key, CodePointComparer.Instance).ToDictionary());

    /// <summary>Reads the manifest of a prepared folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The manifest, or null where the folder has none.</returns>
    /// <exception cref="DatasetException">The file is there but cannot be read as one.</exception>
    public static SplitManifest? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var root = PythonJson.Parse(File.ReadAllText(path))?.AsObject() ?? throw new JsonException("it is null");
            var splits = root["splits"]?.AsObject() ?? throw new JsonException("it has no 'splits'");
            return new(
                (uint?)(long?)root["seed"],
                (bool?)root["stratify"],
                Size(root["test_size"]),
                Size(root["validation_size"]),
                splits.ToDictionary(s => s.Key, s => (IReadOnlyList<SplitFileEntry>)[.. (s.Value?.AsArray() ?? []).Select(ReadEntry)]))
            {
                GroupDuplicates = (bool?)root["group_duplicates"] ?? false,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new DatasetException($"'{path}' is not a split file written by 'vizsla prepare': {e.Message}. Move it away, or choose another output folder.", e);
        }
    }

    /// <summary>Writes the manifest into a folder.</summary>
    /// <param name="folder">The folder.</param>
    public void Write(string folder)
    {
        var counts = new JsonObject();
        foreach (var (split, classes) in Counts)
        {
            counts[split] = new JsonObject
            {
                ["total"] = classes.Values.Sum(),
                ["classes"] = new JsonObject(classes.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value))),
            };
        }

        var root = new JsonObject
        {
            ["format"] = FormatVersion,
            ["seed"] = Seed,
            ["stratify"] = Stratify,
            ["test_size"] = Node(TestSize),
            ["validation_size"] = Node(ValidationSize),
            ["counts"] = counts,
            ["splits"] = new JsonObject(Splits.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)new JsonArray([.. s.Value.Select(WriteEntry)])))),
        };
        if (GroupDuplicates)
        {
            root.Insert(root.IndexOf("counts"), "group_duplicates", true);
        }

        File.WriteAllText(Path.Combine(folder, FileName), PythonJson.Serialize(root, indent: 1, sortKeys: false, ensureAscii: false) + "\n");
    }

    private static SplitFileEntry ReadEntry(JsonNode? node) => new(
        Text(node, "file"), Text(node, "source"), Text(node, "label"), Text(node, "sha256"));

    private static string Text(JsonNode? node, string key) => (string?)node?[key] ?? throw new JsonException($"a file has no '{key}'");

    private static JsonNode WriteEntry(SplitFileEntry entry) => new JsonObject
    {
        ["file"] = entry.File,
        ["source"] = entry.Source,
        ["label"] = entry.Label,
        ["sha256"] = entry.Sha256,
    };

    private static JsonValue? Node(SplitSize? size) => size?.Share is { } share ? JsonValue.Create(share) : size?.Rows is { } rows ? JsonValue.Create(rows) : null;

    private static SplitSize? Size(JsonNode? node) => node is null ? null : SplitSize.TryParse(node.ToJsonString(), out var size) ? size : throw new JsonException($"{node.ToJsonString()} is not a size");
}
