using System.CommandLine;
using System.Text.Json.Nodes;
using Vizsla.Datasets;

namespace Vizsla.Cli.Commands;

/// <summary>The options by which every verb that opens a dataset says how it is read: one rule for all of them.</summary>
internal sealed class DatasetFlags
{
    /// <summary>The keys of these options in a configuration file.</summary>
    public static readonly string[] Keys = ["loader", "image_column", "label_column"];

    private static readonly (string Word, FolderRule Rule)[] s_loaders = [("imagefolder", FolderRule.ImageFolder), ("load_dataset", FolderRule.LoadDataset)];

    private readonly Option<string?> _loader = new("--loader") { Description = "What a folder of photos is: imagefolder (default; whatever else lies there), or what Python's load_dataset(FOLDER) makes of it (load_dataset)." };
    private readonly Option<string?> _imageColumn = new("--image_column") { Description = "Column of the pictures, where the files do not say so." };
    private readonly Option<string?> _labelColumn = new("--label_column") { Description = "Column of the labels, where the files do not say so; text and numbers become classes." };

    /// <param name="verb">The verb that gets the options.</param>
    public DatasetFlags(Command verb)
    {
        verb.Options.Add(_loader);
        verb.Options.Add(_imageColumn);
        verb.Options.Add(_labelColumn);
    }

    /// <summary>What was asked.</summary>
    /// <param name="arguments">The parsed command line.</param>
    /// <param name="config">A configuration file's own keys; null without one.</param>
    public DatasetLoadOptions Read(ParseResult arguments, JsonObject? config = null) => new()
    {
        Rule = Choice.Parse("--loader", arguments.GetValue(_loader) ?? Text(config, "loader") ?? "imagefolder", s_loaders),
        ImageColumn = arguments.GetValue(_imageColumn) ?? Text(config, "image_column"),
        LabelColumn = arguments.GetValue(_labelColumn) ?? Text(config, "label_column"),
    };

    /// <summary>The word for a rule.</summary>
    public static string Word(FolderRule rule) => s_loaders.First(l => l.Rule == rule).Word;

    private static string? Text(JsonObject? config, string key) => config?[key]?.GetValue<string>();
}
