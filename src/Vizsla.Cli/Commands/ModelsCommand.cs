using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vizsla.Models;
using Vizsla.Primitives;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla models</c>: the models that can be named, how large they are and under what licence.</summary>
internal sealed class ModelsCommand : Verb
{
    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];

    private readonly Option<string?> _filter;
    private readonly Option<string> _format;

    public ModelsCommand()
        : base("models", "List the models that --model knows by name: parameters, work per picture, picture size, licence of the weights.",
            "vizsla models",
            "vizsla models --filter efficientnet --format json",
            "vizsla models describe resnet50 --depth 1")
    {
        _filter = AddOption<string>("--filter", "List only names that contain this.");
        _format = AddOption("--format", "table or json.", "table");
        Subcommands.Add(new ModelsDescribeCommand());
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var filter = arguments.GetValue(_filter) ?? "";
        var models = KnownModels.All.Where(m => m.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)).ToList();
        if (models.Count == 0)
        {
            var names = KnownModels.All.Select(m => m.Name).ToList();
            throw new UsageException($"No known model has '{filter}' in its name.{Suggestion.DidYouMean(filter, names)} Without --filter all {names.Count} are listed.");
        }

        var rows = models.Select(m => (Model: m, Size: SizeOf(m))).ToList();
        if (asJson)
        {
            console.WriteLine(PythonJson.Serialize(new JsonArray([.. rows.Select(r => ToJson(r.Model, r.Size))]), indent: 2, sortKeys: false));
            return Task.FromResult(0);
        }

        var table = new Table().AddColumn("name")
            .AddColumn(new TableColumn("parameters").RightAligned()).AddColumn(new TableColumn("GMACs").RightAligned()).AddColumn(new TableColumn("GFLOPs").RightAligned())
            .AddColumn(new TableColumn("input").RightAligned()).AddColumn("weights").AddColumn("licence");
        foreach (var (model, size) in rows)
        {
            table.AddRow(
                Markup.Escape(model.Name), Millions(size.Parameters), Billions(size.Products), Billions(2 * size.Products),
                $"{model.InputSide}x{model.InputSide}", Markup.Escape(model.Weights ?? "none (--from_scratch)"), model.License ?? "-");
        }

        console.Out.Write(table);
        console.WriteLine("A GMAC is a billion multiplications with their additions, two floating point operations each: for one picture, without norms and activations.");
        return Task.FromResult(0);
    }

    internal static string Millions(long count) => string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:0.00} M");

    internal static string Billions(long count) => string.Create(CultureInfo.InvariantCulture, $"{count / 1e9:0.00}");

    private static (long Parameters, long Products) SizeOf(KnownModel model) =>
        model.Size ?? (model.Summarize() is var summary ? (summary.ParameterCount, summary.ProductCount) : default);

    private static JsonObject ToJson(KnownModel model, (long Parameters, long Products) size) => new()
    {
        ["name"] = model.Name,
        ["weights"] = model.Weights,
        ["license"] = model.License,
        ["input_size"] = new JsonArray(3, model.InputSide, model.InputSide),
        ["classes"] = model.Configure().LabelCount,
        ["parameters"] = size.Parameters,
        ["macs"] = size.Products,
        ["flops"] = 2 * size.Products,
    };
}
