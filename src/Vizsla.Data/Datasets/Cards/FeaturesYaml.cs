using System.Text.Json.Nodes;

namespace Vizsla.Datasets.Cards;

/// <summary>Features as the card of a dataset spells them under <c>dataset_info.features</c>.</summary>
/// <remarks>Source: datasets <c>Features._to_yaml_list</c> and <c>_from_yaml_list</c>.</remarks>
internal static class FeaturesYaml
{
    private static readonly (string Yaml, string Json)[] s_lists = [("list", "List"), ("large_list", "LargeList"), ("sequence", "Sequence")];

    /// <summary>The list of a card.</summary>
    public static JsonArray Write(Features features) =>
        [.. features.ToJson().Select(f => (JsonNode)WithName(f.Key, ToYaml(f.Value as JsonObject ?? [])))];

    /// <summary>Features from the list of a card.</summary>
    /// <exception cref="DatasetException">The list is not spelled as one.</exception>
    public static Features Read(JsonArray list) => FeaturesJson.FromJson(Fields(list));

    private static JsonObject ToYaml(JsonObject json)
    {
        var rest = (JsonObject)json.DeepClone();
        var type = (string?)rest["_type"];
        rest.Remove("_type");
        if (s_lists.FirstOrDefault(l => l.Json == type).Yaml is { } list)
        {
            var element = ToYaml(rest["feature"] as JsonObject ?? []);
            rest.Remove("feature");
            var yaml = new JsonObject { [list] = element.Count == 1 && (element["dtype"] ?? element["struct"]) is { } only ? only.DeepClone() : element };
            foreach (var (name, value) in rest)
            {
                yaml[name] = value?.DeepClone();
            }

            return yaml;
        }

        return type switch
        {
            null => new() { ["struct"] = new JsonArray([.. json.Select(f => (JsonNode)WithName(f.Key, ToYaml(f.Value as JsonObject ?? [])))]) },
            "Value" => rest,
            "ClassLabel" => new() { ["dtype"] = new JsonObject { ["class_label"] = Names(rest) } },
            _ when rest.Count == 0 => new() { ["dtype"] = Snake(type) },
            _ => new() { ["dtype"] = new JsonObject { [Snake(type)] = rest } },
        };
    }

    // Keys must be text for the Hub's own checks, so they are written in quotes.
    private static JsonObject Names(JsonObject label) => new()
    {
        ["names"] = new JsonObject((label["names"] as JsonArray ?? []).Select((n, i) => KeyValuePair.Create($"{i}", n?.DeepClone()))),
    };

    private static JsonObject WithName(string name, JsonObject yaml)
    {
        var named = new JsonObject { ["name"] = name };
        foreach (var (key, value) in yaml)
        {
            named[key] = value?.DeepClone();
        }

        return named;
    }

    private static JsonObject Fields(JsonArray list)
    {
        var fields = new JsonObject();
        foreach (var item in list)
        {
            var feature = item?.DeepClone() as JsonObject;
            if (feature is null || (string?)feature["name"] is not { } name)
            {
                throw new DatasetException($"The card's features are a list of names and types, got: {item?.ToJsonString() ?? "null"}.");
            }

            feature.Remove("name");
            fields[name] = ToJson(feature);
        }

        return fields;
    }

    private static JsonNode ToJson(JsonNode? yaml)
    {
        switch (yaml)
        {
            case JsonArray fields:
                return Fields(fields);
            case JsonValue text:
                return Plain((string?)text ?? "");
            case JsonObject feature:
                var (kind, value) = feature.FirstOrDefault();
                if (s_lists.FirstOrDefault(l => l.Yaml == kind).Json is { } list)
                {
                    var json = new JsonObject { ["feature"] = ToJson(value) };
                    foreach (var (name, rest) in feature.Skip(1))
                    {
                        json[name] = rest?.DeepClone();
                    }

                    json["_type"] = list;
                    return json;
                }

                return kind switch
                {
                    "struct" or "dtype" => ToJson(value),
                    "class_label" => Object("ClassLabel", ("names", LabelNames(value?["names"]))),
                    _ => Object(Camel(kind ?? ""), [.. (value as JsonObject ?? []).Select(v => (v.Key, v.Value?.DeepClone()))]),
                };
            default:
                throw new DatasetException("The card's features hold a feature without a type.");
        }
    }

    private static JsonObject Plain(string dtype) => dtype is "image" or "audio" or "video" or "pdf" ? Object(Camel(dtype)) : Object("Value", ("dtype", dtype));

    private static JsonArray LabelNames(JsonNode? names) => names switch
    {
        JsonArray list => (JsonArray)list.DeepClone(),
        JsonObject numbered => [.. numbered.OrderBy(n => int.TryParse(n.Key, out var number) ? number : throw new DatasetException($"The card numbers a class with '{n.Key}'.")).Select(n => n.Value?.DeepClone())],
        _ => throw new DatasetException("The card has a class label without names."),
    };

    private static JsonObject Object(string type, params IReadOnlyList<(string Name, JsonNode? Value)> fields)
    {
        var json = new JsonObject(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))) { ["_type"] = type };
        return json;
    }

    private static string Snake(string camel) => string.Concat(camel.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));

    private static string Camel(string snake) => string.Concat(snake.Split('_').Select(part => part.Length > 0 ? char.ToUpperInvariant(part[0]) + part[1..] : ""));
}
