using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Primitives;

namespace Vizsla.Inference;

/// <summary>Class names from a JSON file: a list in order, or an object from index to name.</summary>
internal static class LabelsFile
{
    /// <summary>Reads the names in order of their index.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="InvalidDataException">The file holds neither form; the message names it.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        JsonNode? content;
        try
        {
            content = PythonJson.Parse(File.ReadAllText(path));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The labels file '{path}' is not JSON: {e.Message}");
        }

        return content switch
        {
            JsonArray list when list.All(IsName) => [.. list.Select(n => n!.GetValue<string>())],
            JsonObject map when Ordered(map) is { } names => names,
            _ => throw new InvalidDataException(
                $"The labels file '{path}' must be a list of class names, or an object from index (\"0\", \"1\", ...) to name."),
        };
    }

    private static string[]? Ordered(JsonObject map)
    {
        var names = new string?[map.Count];
        foreach (var (key, value) in map)
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= names.Length || !IsName(value))
            {
                return null;
            }

            names[index] = value!.GetValue<string>();
        }

        return names.All(n => n is not null) ? [.. names.OfType<string>()] : null;
    }

    private static bool IsName(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String;
}
