using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Training.Checkpoints;

/// <summary>The sizes of a checkpoint's files, by which a file that was cut short later is found.</summary>
internal static class CheckpointManifest
{
    public static void Write(string folder)
    {
        var sizes = Directory.EnumerateFiles(folder).Select(f => KeyValuePair.Create(Path.GetFileName(f), (JsonNode?)JsonValue.Create(new FileInfo(f).Length)));
        DurableFile.WriteText(Path.Combine(folder, CheckpointNames.Manifest), PythonJson.Serialize(new JsonObject { ["files"] = new JsonObject(sizes) }) + "\n");
    }

    /// <summary>What is wrong with a checkpoint, as half a sentence; null where it is whole.</summary>
    public static string? Problem(string folder)
    {
        try
        {
            var files = PythonJson.Parse(File.ReadAllText(Path.Combine(folder, CheckpointNames.Manifest)))?["files"] as JsonObject
                ?? throw new JsonException("No 'files'.");
            foreach (var (name, _) in files)
            {
                var file = new FileInfo(Path.Combine(folder, name));
                var size = files.Number(name);
                if (!file.Exists || file.Length != size)
                {
                    return $"'{name}' has {(file.Exists ? $"{file.Length} bytes" : "gone")}, expected {size} bytes";
                }
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            return $"'{CheckpointNames.Manifest}' cannot be read ({e.Message})";
        }
    }
}
