using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Vizsla.Hub;
using Vizsla.Hub.Cards;

namespace Vizsla.HubServer.Commits;

/// <summary>What a commit's README.md and config.json say of the repository.</summary>
/// <param name="CardData">The card's metadata; null without a card that can be read. Cloned before it is sent.</param>
/// <param name="Config"><c>architectures</c> and <c>model_type</c>; null without a config.json. Cloned before it is sent.</param>
/// <param name="PipelineTag">The task; null when nothing says.</param>
/// <param name="Library">The library; null when nothing says.</param>
/// <param name="Tags">What searches filter by.</param>
internal sealed record CardFacts(JsonObject? CardData, JsonObject? Config, string? PipelineTag, string? Library, IReadOnlyList<string> Tags);

/// <summary>Reads cards, each state of a repository once.</summary>
internal sealed class CardStore(TreeStore trees)
{
    private const string CardFile = "README.md";
    private const string ConfigFile = "config.json";
    private const long LargestFile = 1024 * 1024;
    private const int MaxCached = 2000;
    private const string Task = "image-classification";

    // Keys whose values become tags with the key before them.
    private static readonly string[] Prefixed = ["dataset", "base_model", "license", "task_categories", "task_ids", "size_categories", "annotations_creators", "language_creators", "multilinguality", "source_datasets"];

    private readonly ConcurrentDictionary<(string Tree, RepoType Type), CardFacts> _cache = new();

    /// <summary>The facts of a commit.</summary>
    public CardFacts Read(SqliteConnection connection, string tree, RepoType type)
    {
        if (_cache.TryGetValue((tree, type), out var known))
        {
            return known;
        }

        var files = trees.Items(connection, tree);
        var card = Text(connection, files, CardFile) is { } text ? Metadata(text) : null;
        var config = type is RepoType.Model && Text(connection, files, ConfigFile) is { } json ? Parse(json) : null;
        var facts = type is RepoType.Model ? OfModel(card, config, [.. trees.Walk(connection, tree).Where(f => !f.Item.IsFolder).Select(f => f.Path)]) : new CardFacts(card, null, null, null, [.. TagsOf(card), "region:us"]);
        if (_cache.Count >= MaxCached)
        {
            _cache.Clear();
        }

        return _cache[(tree, type)] = facts;
    }

    private static CardFacts OfModel(JsonObject? card, JsonObject? config, IReadOnlyList<string> paths)
    {
        var architecture = Strings(config?["architectures"]).FirstOrDefault();
        var words = Strings(card?["tags"]).ToList();
        var library = Strings(card?["library_name"]).FirstOrDefault()
            ?? (words.Contains("timm") || config?["pretrained_cfg"] is JsonObject ? "timm" : words.Contains("transformers") || architecture is not null ? "transformers" : null);
        var task = Strings(card?["pipeline_tag"]).FirstOrDefault()
            ?? (words.Contains(Task) || architecture?.EndsWith("ForImageClassification", StringComparison.Ordinal) is true || config?["pretrained_cfg"] is JsonObject ? Task : null);
        string?[] first = [library, paths.Any(p => p.EndsWith(".safetensors", StringComparison.Ordinal)) ? "safetensors" : null, Strings(config?["model_type"]).FirstOrDefault(), task];
        var shown = config is null ? null : new JsonObject { ["architectures"] = config["architectures"]?.DeepClone(), ["model_type"] = config["model_type"]?.DeepClone() };
        return new(card, shown, task, library, [.. first.OfType<string>().Concat(TagsOf(card)).Append("region:us").Distinct(StringComparer.Ordinal)]);
    }

    private static IEnumerable<string> TagsOf(JsonObject? card) => Strings(card?["tags"])
        .Concat(Strings(card?["datasets"]).Select(d => "dataset:" + d))
        .Concat(Strings(card?["language"]).Select(l => card!["task_categories"] is null ? l : "language:" + l))
        .Concat(Prefixed.SelectMany(key => Strings(card?[key]).Select(value => $"{key}:{value}")));

    private static IEnumerable<string> Strings(JsonNode? node) => node switch
    {
        JsonArray list => list.SelectMany(Strings),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => [value.ToString()],
        _ => [],
    };

    private static string? Text(SqliteConnection connection, IReadOnlyList<TreeItem> files, string name) =>
        files.FirstOrDefault(f => f.Name == name) is { IsFolder: false, LargeOid: null, Size: <= LargestFile } file ? Encoding.UTF8.GetString(BlobStore.Read(connection, file.Oid)) : null;

    private static JsonObject? Metadata(string text)
    {
        try
        {
            var metadata = RepoCard.Parse(text).Metadata;
            return metadata.Count > 0 ? (JsonObject)Sendable(metadata)! : null;
        }
        catch (YamlException)
        {
            return null;
        }
    }

    private static JsonObject? Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: Protocol.Answers.Strict) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // YAML has numbers that JSON has not, and dates, which go as text.
    private static JsonNode? Sendable(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Select(p => KeyValuePair.Create(p.Key, Sendable(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sendable)]),
        JsonValue value when value.TryGetValue(out double number) && !double.IsFinite(number) => null,
        JsonValue value when value.TryGetValue(out DateTime time) && value.GetValueKind() == JsonValueKind.String => JsonValue.Create(time.ToString(time.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "O", System.Globalization.CultureInfo.InvariantCulture)),
        _ => node?.DeepClone(),
    };
}
