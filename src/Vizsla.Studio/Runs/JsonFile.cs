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
            return File.Exists(path) ? Parse(File.ReadAllText(path)) as JsonObject : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A document whose every value can be read; null when it is not one: it repeats a key, or a string holds half of a surrogate pair.</summary>
    public static JsonNode? Parse(string text)
    {
        try
        {
            var node = PythonJson.Parse(text);
            // Names and strings are read when they are first asked for.
            Visit(node);
            return node;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A number of steps, brought into the range of steps; null for anything else.</summary>
    public static int? Step(JsonNode? node) => Number(node) is { } number && !double.IsNaN(number) ? (int)Math.Clamp(number, 0, int.MaxValue) : null;

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

    private static void Visit(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (_, value) in map)
                {
                    Visit(value);
                }

                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    Visit(item);
                }

                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                _ = value.GetValue<string>();
                break;
        }
    }

    private static double? ToDouble(JsonValue value) =>
        value.TryGetValue<double>(out var d) ? d : value.TryGetValue<long>(out var l) ? l : value.TryGetValue<int>(out var i) ? i : null;
}
