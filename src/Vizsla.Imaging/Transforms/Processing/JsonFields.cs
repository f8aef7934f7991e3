using System.Text.Json.Nodes;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Typed access to the keys of an object, with messages that name file, key and value; null counts as absent.</summary>
internal sealed class JsonFields(JsonObject json, string file)
{
    /// <summary>Longest side of a model's picture in pixels; one of 1,000,000 takes terabytes, and no network has it.</summary>
    public const int LargestSide = 8192;

    private readonly HashSet<string> _read = [];

    /// <summary>The file the object comes from.</summary>
    public string File => file;

    /// <summary>Keys that were not asked for, with their JSON; null values and the keys given are left out.</summary>
    public ValueList<KeyValuePair<string, string>> Rest(IReadOnlySet<string> dropped) => ValueList.From(json
        .Where(pair => pair.Value is not null && !_read.Contains(pair.Key) && !dropped.Contains(pair.Key))
        .Select(pair => KeyValuePair.Create(pair.Key, PythonJson.Serialize(pair.Value, indent: null))));

    public bool? Flag(string key) => Get(key) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        var other => throw Wrong(key, other, "true or false"),
    };

    public string? Text(string key) => Get(key) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var other => throw Wrong(key, other, "a text"),
    };

    public double? Number(string key) => Get(key) is { } node
        ? TryNumber(node) is { } number && double.IsFinite(number) ? number : throw Wrong(key, node, "a number")
        : null;

    /// <summary>One number, or one per channel.</summary>
    public ValueList<double>? Numbers(string key)
    {
        var node = Get(key);
        if (node is null)
        {
            return null;
        }

        double?[] numbers = node is JsonArray array ? [.. array.Select(item => item is null ? null : TryNumber(item))] : [TryNumber(node)];
        return numbers.All(number => number is { } finite && double.IsFinite(finite))
            ? ValueList.From(numbers.Select(number => number!.Value))
            : throw Wrong(key, node, "numbers");
    }

    /// <summary>Pillow's number of a filter, or its name.</summary>
    public Interpolation? Filter(string key) => Get(key) switch
    {
        null => null,
        JsonValue value when TryNumber(value) is { } number && number == Math.Floor(number) && Math.Abs(number) < byte.MaxValue && Enum.IsDefined((Interpolation)(int)number) => (Interpolation)(int)number,
        JsonValue value when value.TryGetValue<string>(out var name) && Enum.TryParse<Interpolation>(name, ignoreCase: true, out var filter) && !int.TryParse(name, out _) => filter,
        var other => throw Wrong(key, other, "one of " + string.Join(", ", Enum.GetValues<Interpolation>().Select(filter => $"{(int)filter} ({filter})"))),
    };

    /// <summary>A size: one number, [height, width], or an object of edges.</summary>
    public ImageSize? Size(string key, bool defaultToSquare)
    {
        switch (Get(key))
        {
            case null:
                return null;
            case JsonValue value when Pixels(value) is { } side:
                return defaultToSquare ? new ImageSize(side, side) : new ImageSize(side);
            case JsonArray { Count: 2 } pair when Pixels(pair[0]) is { } height && Pixels(pair[1]) is { } width:
                return new ImageSize(height, width);
            case JsonObject edges when Pixels(edges["height"]) is { } height && Pixels(edges["width"]) is { } width:
                return new ImageSize(height, width);
            case JsonObject edges when edges["longest_edge"] is null && Pixels(edges["shortest_edge"]) is { } shortest:
                return new ImageSize(shortest);
            case var other:
                throw Wrong(key, other, "{\"height\": h, \"width\": w}, {\"shortest_edge\": n} or a number of pixels, 1 to " + LargestSide);
        }
    }

    private static double? TryNumber(JsonNode node) => node is not JsonValue value ? null
        : value.TryGetValue<double>(out var real) ? real
        : value.TryGetValue<long>(out var whole) ? whole
        : value.TryGetValue<int>(out var small) ? small
        : null;

    private static int? Pixels(JsonNode? node) => node is not null && TryNumber(node) is { } number && number >= 1 && number <= LargestSide && number == Math.Floor(number)
        ? (int)number
        : null;

    private JsonNode? Get(string key)
    {
        _read.Add(key);
        return json[key];
    }

    private InvalidDataException Wrong(string key, JsonNode? value, string expected) =>
        new($"'{file}': {key} is {PythonJson.Serialize(value, indent: null)}, expected {expected}.");
}
