using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Datasets;

/// <summary>Features as the <c>huggingface</c> metadata of Parquet and Arrow files spells them.</summary>
/// <remarks>Source: <c>datasets.Features.to_dict</c> and <c>from_dict</c>. Fields at their default are left out, as writers of today do; older spellings are read.</remarks>
internal static class FeaturesJson
{
    /// <summary>The features as a JSON object.</summary>
    /// <param name="features">The features.</param>
    public static JsonObject ToJson(this Features features)
    {
        ArgumentNullException.ThrowIfNull(features);
        return new(features.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)ToJson(f.Value))));
    }

    /// <summary>Features from a JSON object.</summary>
    /// <param name="json">The object under <c>info.features</c>.</param>
    /// <exception cref="DatasetException">A feature is not spelled as one.</exception>
    public static Features FromJson(JsonObject json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new(json.Select(f => KeyValuePair.Create(f.Key, FromJson(f.Key, f.Value))));
    }

    /// <summary>Python's name of a feature's type.</summary>
    internal static string TypeName(Feature feature) => feature is StructFeature ? "dict" : (string?)ToJson(feature)["_type"] ?? "";

    private static JsonNode ToJson(Feature feature)
    {
        switch (feature)
        {
            case ImageFeature image:
                return Object("Image", ("mode", image.Mode), ("decode", image.Decode ? null : JsonValue.Create(false)));
            case ClassLabel label:
                return Object("ClassLabel", ("names", new JsonArray([.. label.Names.Select(n => (JsonNode)n)])));
            case ValueFeature value:
                return Object("Value", ("dtype", value.DType));
            case ListFeature list:
                return Object("List", ("feature", ToJson(list.Element)), ("length", list.Length < 0 ? null : JsonValue.Create(list.Length)));
            case StructFeature fields:
                return fields.Fields.ToJson();
            case OtherFeature other:
                return JsonNode.Parse(other.Json) ?? new JsonObject();
            default:
                throw new ArgumentException($"A feature of type {feature.GetType().Name} cannot be written as JSON.", nameof(feature));
        }
    }

    // "_type" comes last, as dataclasses write it.
    private static JsonObject Object(string type, params (string Name, JsonNode? Value)[] fields)
    {
        var json = new JsonObject();
        foreach (var (name, value) in fields)
        {
            if (value is not null)
            {
                json[name] = value;
            }
        }

        json["_type"] = type;
        return json;
    }

    private static Feature FromJson(string name, JsonNode? node)
    {
        try
        {
            return node switch
            {
                JsonArray { Count: 1 } array => new ListFeature(FromJson(name, array[0])),
                JsonObject json when json["_type"] is JsonValue type => FromTyped(name, json, (string?)type ?? ""),
                JsonObject json => new StructFeature(FromJson(json)),
                _ => throw new DatasetException($"The feature '{name}' is invalid: {node?.ToJsonString() ?? "null"}."),
            };
        }
        catch (Exception e) when (e is InvalidOperationException or JsonException or ArgumentException)
        {
            throw new DatasetException($"The feature '{name}' is invalid: {node?.ToJsonString()}.", e);
        }
    }

    private static Feature FromTyped(string name, JsonObject json, string type)
    {
        switch (type)
        {
            case "Image":
                return new ImageFeature((string?)json["mode"], (bool?)json["decode"] ?? true);
            case "ClassLabel" when json["names"] is JsonArray names:
                return new ClassLabel(names.Select(n => (string?)n ?? ""));
            case "Value":
                return new ValueFeature((string?)json["dtype"] ?? "");
            case "List" or "Sequence" or "LargeList":
                return ReadList(name, json);
            default:
                return new OtherFeature(json.ToJsonString());
        }
    }

    // A Sequence of a struct was stored as a struct of lists.
    private static Feature ReadList(string name, JsonObject json)
    {
        var element = FromJson(name, json["feature"]);
        var length = (int?)json["length"] ?? -1;
        return (string?)json["_type"] == "Sequence" && element is StructFeature fields
            ? new StructFeature(new Features(fields.Fields.Select(f => KeyValuePair.Create(f.Key, (Feature)new ListFeature(f.Value, length)))))
            : new ListFeature(element, length);
    }
}
