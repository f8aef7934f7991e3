using System.Text.Json.Nodes;
using Vizsla.Hub.Cards;
using Vizsla.Primitives;

namespace Vizsla.Datasets.Cards;

/// <summary>Brings the card of a dataset up to date with what was pushed, and leaves everything else of it as it is.</summary>
/// <remarks>Source: datasets 5.2 <c>_get_updated_dataset_card</c>. Parity: exact, except that other words of a configuration are kept.</remarks>
internal sealed class CardUpdate
{
    private const string Default = "default";
    private readonly JsonObject _metadata;
    private readonly string _configuration;

    private CardUpdate(JsonObject metadata, string configuration) => (_metadata, _configuration) = (metadata, configuration);

    /// <summary>One split that was pushed.</summary>
    /// <param name="Name">Name of the split.</param>
    /// <param name="RowCount">Rows.</param>
    /// <param name="Bytes">Bytes of the rows in memory.</param>
    /// <param name="UploadedBytes">Bytes of its files.</param>
    /// <param name="ReplacedBytes">Bytes of the files that were there before.</param>
    public sealed record Split(string Name, int RowCount, long Bytes, long UploadedBytes, long ReplacedBytes);

    /// <summary>Updates a card.</summary>
    /// <param name="card">Content of README.md, or null where there is none.</param>
    /// <param name="configuration">Name of the configuration.</param>
    /// <param name="dataDir">Folder of its files.</param>
    /// <param name="features">Columns of the splits.</param>
    /// <param name="splits">What was pushed.</param>
    /// <param name="keepsOtherSplits">Whether the configuration keeps splits that were not pushed.</param>
    /// <param name="setDefault">Whether it becomes the one that is taken where none is named.</param>
    /// <returns>New content of README.md.</returns>
    /// <exception cref="DatasetException">The columns differ from those of the splits that stay, or another configuration is the default by its name.</exception>
    public static string Apply(string? card, string configuration, string dataDir, Features features, IReadOnlyList<Split> splits, bool keepsOtherSplits, bool setDefault)
    {
        var parsed = RepoCard.Parse(card ?? "");
        var update = new CardUpdate(parsed.Metadata, configuration);
        update.WriteInfo(features, splits, keepsOtherSplits);
        update.WriteConfigurations(dataDir, [.. splits.Select(s => s.Name)], keepsOtherSplits, setDefault);
        return parsed.ToString();
    }

    private void WriteInfo(Features features, IReadOnlyList<Split> splits, bool keepsOtherSplits)
    {
        var infos = Entries("dataset_info");
        var old = keepsOtherSplits ? infos.GetValueOrDefault(_configuration) : null;
        var listed = (old?["splits"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var (download, size) = ((long?)old?["download_size"] ?? 0, (long?)old?["dataset_size"] ?? 0);
        foreach (var split in splits)
        {
            if (old?["features"] is JsonArray known && listed.Any(s => (string?)s["name"] != split.Name) && !FeaturesYaml.Read(known).Equals(features))
            {
                throw new DatasetException($"The columns of split '{split.Name}' differ from those of the splits in the repository: {features.ToJson().ToJsonString()}, expected {FeaturesYaml.Read(known).ToJson().ToJsonString()}.");
            }

            if (listed.Find(s => (string?)s["name"] == split.Name) is { } replaced)
            {
                listed.Remove(replaced);
                download -= split.ReplacedBytes;
                size -= (long?)(double?)replaced["num_bytes"] ?? 0;
            }

            listed.Add(new() { ["name"] = split.Name, ["num_bytes"] = split.Bytes, ["num_examples"] = split.RowCount });
            (download, size) = (download + split.UploadedBytes, size + split.Bytes);
        }

        infos[_configuration] = new()
        {
            ["features"] = FeaturesYaml.Write(features),
            ["splits"] = new JsonArray([.. listed.Select(s => s.DeepClone())]),
            ["download_size"] = download,
            ["dataset_size"] = size,
        };
        var written = infos.OrderBy(i => i.Key, CodePointComparer.Instance).Select(i => (JsonNode)WithName(i.Key, i.Value)).ToList();
        if (written.Count > 1)
        {
            _metadata["dataset_info"] = new JsonArray([.. written]);
        }
        else
        {
            var only = (JsonObject)written[0];
            if (_configuration == Default)
            {
                only.Remove("config_name");
            }

            _metadata["dataset_info"] = only;
        }
    }

    private void WriteConfigurations(string dataDir, IReadOnlyList<string> splits, bool keepsOtherSplits, bool setDefault)
    {
        var configurations = Entries("configs");
        var configuration = configurations.GetValueOrDefault(_configuration) ?? [];
        var files = new List<(string Split, JsonNode Path)>();
        if (keepsOtherSplits && configuration["data_files"] is not null)
        {
            files.AddRange((new CardConfiguration(_configuration, configuration).DataFiles ?? []).Select(f => (f.Key, Paths(f.Value))));
        }

        foreach (var split in splits)
        {
            var at = files.FindIndex(f => f.Split == split);
            var entry = (split, (JsonNode)$"{dataDir}/{split}-*");
            files.RemoveAll(f => f.Split == split);
            files.Insert(at < 0 ? files.Count : at, entry);
        }

        configuration["data_files"] = new JsonArray([.. files.Select(f => (JsonNode)new JsonObject { ["split"] = f.Split, ["path"] = f.Path.DeepClone() })]);
        if (setDefault && _configuration != Default)
        {
            MakeDefault(configurations, configuration);
        }

        configurations[_configuration] = configuration;
        _metadata["configs"] = new JsonArray([.. configurations.OrderBy(c => c.Key, CodePointComparer.Instance).Select(c => (JsonNode)WithName(c.Key, c.Value))]);
    }

    private void MakeDefault(Dictionary<string, JsonObject> configurations, JsonObject configuration)
    {
        if (configurations.ContainsKey(Default))
        {
            throw new DatasetException("There exists a configuration named 'default'. To set a different configuration as default, rename the 'default' one first.");
        }

        foreach (var other in configurations.Where(c => c.Key != _configuration))
        {
            other.Value.Remove(Default);
        }

        configuration[Default] = true;
    }

    private Dictionary<string, JsonObject> Entries(string field)
    {
        IEnumerable<JsonObject> entries = _metadata[field] switch
        {
            JsonArray list => list.OfType<JsonObject>(),
            JsonObject only => [only],
            _ => [],
        };
        return entries.ToDictionary(e => (string?)e["config_name"] ?? Default, e => (JsonObject)e.DeepClone(), StringComparer.Ordinal);
    }

    private static JsonObject WithName(string name, JsonObject entry)
    {
        var named = new JsonObject { ["config_name"] = name };
        foreach (var (key, value) in entry.Where(e => e.Key != "config_name"))
        {
            named[key] = value?.DeepClone();
        }

        return named;
    }

    private static JsonNode Paths(IReadOnlyList<string> paths) => paths.Count == 1 ? paths[0] : new JsonArray([.. paths.Select(p => (JsonNode)p)]);
}
