using System.Text.Json.Nodes;
using Vizsla.Hub.Cards;

namespace Vizsla.Datasets.Cards;

/// <summary>What the README.md of a dataset says of its configurations and columns.</summary>
/// <remarks>Source: datasets <c>MetadataConfigs</c>, <c>DatasetInfosDict</c>.</remarks>
internal sealed class DatasetCard
{
    private const string ConfigsField = "configs";
    private const string InfoField = "dataset_info";
    private const string NameField = "config_name";
    private readonly JsonObject _metadata;

    private DatasetCard(JsonObject metadata) => _metadata = metadata;

    /// <summary>Configurations in the order of the card.</summary>
    /// <exception cref="DatasetException">They are not spelled as the documentation says.</exception>
    public IReadOnlyList<CardConfiguration> Configurations => _metadata[ConfigsField] switch
    {
        null => [],
        JsonArray list => [.. list.Select(Configuration)],
        var other => throw new DatasetException($"Expected configs to be a list, but got '{other.ToJsonString()}'"),
    };

    /// <summary>Reads the card of a folder, with what <c>.huggingface.yaml</c> beside it adds.</summary>
    /// <param name="folder">The folder; without a card it says nothing.</param>
    /// <exception cref="DatasetException">The card's metadata is not YAML.</exception>
    public static DatasetCard Read(string folder)
    {
        var readme = Path.Combine(folder, "README.md");
        var standalone = Path.Combine(folder, ".huggingface.yaml");
        try
        {
            var metadata = File.Exists(readme) ? RepoCard.Parse(File.ReadAllText(readme)).Metadata : [];
            foreach (var (name, value) in File.Exists(standalone) ? YamlReader.Read(File.ReadAllText(standalone)) as JsonObject ?? [] : [])
            {
                metadata[name] = value?.DeepClone();
            }

            return new(metadata);
        }
        catch (YamlException e)
        {
            throw new DatasetException($"The card '{readme}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Columns that the card gives a configuration, or null.</summary>
    /// <param name="configuration">Name of the configuration.</param>
    public Features? Features(string configuration)
    {
        var infos = _metadata[InfoField] switch
        {
            JsonArray list => list.OfType<JsonObject>(),
            JsonObject only => [only],
            _ => [],
        };
        var info = infos.FirstOrDefault(i => ((string?)i[NameField] ?? "default") == configuration);
        return info?["features"] is JsonArray features ? FeaturesYaml.Read(features) : null;
    }

    private static CardConfiguration Configuration(JsonNode? entry) =>
        entry is JsonObject fields && (string?)fields[NameField] is { } name
            ? new(name, fields)
            : throw new DatasetException($"Each config must include `config_name` field with a string name of a config, but got {entry?.ToJsonString()}.");
}
