using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Studio.Runs;

/// <summary>Reads files that another process may be writing.</summary>
internal static class JsonFile
{
    /// <summary>The object in a file; null when the file is absent, not whole, or holds something else.</summary>
    public static JsonObject? TryRead(string path)
    {
        try
        {
            return File.Exists(path) && PythonJson.Parse(File.ReadAllText(path)) is JsonObject map ? map : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A number as <see cref="double"/>; null for anything else.</summary>
    public static double? Number(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? ToDouble(value) : null;

    /// <summary>A value as one short line.</summary>
    public static string Text(JsonNode? node) => node switch
    {
        null => "null",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => PythonJson.Serialize(node, indent: null),
    };

    private static double? ToDouble(JsonValue value) =>
        value.TryGetValue<double>(out var d) ? d : value.TryGetValue<long>(out var l) ? l : value.TryGetValue<int>(out var i) ? i : null;
}
