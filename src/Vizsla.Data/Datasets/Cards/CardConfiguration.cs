using System.Text.Json.Nodes;

namespace Vizsla.Datasets.Cards;

/// <summary>One entry of <c>configs</c> in the card of a dataset.</summary>
/// <param name="Name">Name of the configuration.</param>
/// <param name="Json">Everything the entry says.</param>
internal sealed record CardConfiguration(string Name, JsonObject Json)
{
    private const string Default = "default";

    /// <summary>Folder below the dataset; null for the whole.</summary>
    public string? DataDir => (string?)Json["data_dir"];

    /// <summary>Whether labels are left out; null for no word on it.</summary>
    public bool? DropLabels => (bool?)Json["drop_labels"];

    /// <summary>Whether metadata is left unread; null for no word on it.</summary>
    public bool? DropMetadata => (bool?)Json["drop_metadata"];

    /// <summary>Whether this is the one to take where none is named.</summary>
    public bool IsDefault => Name == Default || (bool?)Json[Default] == true;

    /// <summary>Patterns of files by split; null finds them by names.</summary>
    /// <exception cref="DatasetException">They are not spelled as the documentation says.</exception>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>>? DataFiles => Json["data_files"] switch
    {
        null => null,
        JsonArray list when list.Any(i => i is JsonObject) => [.. list.Select(Split)],
        var files => [KeyValuePair.Create("train", Patterns(files))],
    };

    /// <summary>The configuration to load.</summary>
    /// <param name="configurations">Those of the card; at least one.</param>
    /// <param name="name">The one asked for; null takes the only one, or the default.</param>
    /// <param name="dataset">Name of the dataset, for the message.</param>
    /// <exception cref="DatasetException">None of that name, or none is the default.</exception>
    public static CardConfiguration Choose(IReadOnlyList<CardConfiguration> configurations, string? name, string dataset)
    {
        var names = $"[{string.Join(", ", configurations.Select(c => $"'{c.Name}'"))}]";
        if (name is not null)
        {
            return configurations.FirstOrDefault(c => c.Name == name) ?? throw new DatasetException($"BuilderConfig '{name}' not found. Available: {names}");
        }

        var defaults = configurations.Count == 1 ? configurations : [.. configurations.Where(c => c.IsDefault)];
        return defaults.Count switch
        {
            1 => defaults[0],
            0 => throw new DatasetException($"Config name is missing.\nPlease pick one among the available configs: {names}\nExample of usage:\n\t`load_dataset('{dataset}', '{configurations[0].Name}')`"),
            _ => throw new DatasetException($"Dataset has several default configs: '{defaults[0].Name}' and '{defaults[1].Name}'."),
        };
    }

    private static KeyValuePair<string, IReadOnlyList<string>> Split(JsonNode? entry) =>
        entry is JsonObject { Count: 2 } fields && (string?)fields["split"] is { } split && fields["path"] is { } path
            ? KeyValuePair.Create(split, Patterns(path))
            : throw new DatasetException($"Expected data_files in YAML to be either a string or a list of strings or a list of dicts with two keys: 'split' and 'path', but got {entry?.ToJsonString()}");

    private static IReadOnlyList<string> Patterns(JsonNode? patterns) => patterns is JsonArray list ? [.. list.Select(p => (string?)p ?? "")] : [(string?)patterns ?? ""];
}
