using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vizsla.Models;
using Vizsla.Primitives;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla models describe</c>: layers, shapes, parameters and work of one model.</summary>
internal sealed class ModelsDescribeCommand : Verb
{
    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];

    private readonly Argument<string> _model;
    private readonly Option<int?> _depth;
    private readonly Option<string> _format;

    public ModelsDescribeCommand()
        : base("describe", "Summarize a model: each layer's name, kind, output for one picture, parameters and multiplications.",
            "vizsla models describe resnet50",
            "vizsla models describe breed-classification --depth 2",
            "vizsla models describe vit_base_patch16_224 --format json")
    {
        _model = AddArgument<string>("model", "Run folder, timm folder, Hub name in the cache, or a name that 'vizsla models' lists.", ArgumentArity.ExactlyOne);
        _depth = AddOption<int?>("--depth", "Join layers whose names agree in this many parts, at least 1. Default: every layer by itself.", (int?)null);
        _format = AddOption("--format", "table or json.", "table");
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var name = arguments.GetValue(_model)!;
        var depth = arguments.GetValue(_depth);
        if (depth < 1)
        {
            throw new UsageException(Invariant($"--depth takes a number of at least 1, got {depth}."));
        }

        var whole = ModelSummary.Of(name);
        var summary = depth is { } parts ? whole.ToDepth(parts) : whole;
        if (asJson)
        {
            console.WriteLine(PythonJson.Serialize(ToJson(summary), indent: 2, sortKeys: false));
            return Task.FromResult(0);
        }

        var table = new Table().AddColumn("layer").AddColumn("kind").AddColumn(new TableColumn("output").RightAligned())
            .AddColumn(new TableColumn("parameters").RightAligned()).AddColumn(new TableColumn("MACs").RightAligned());
        foreach (var layer in summary.Layers)
        {
            table.AddRow(Markup.Escape(layer.Name), layer.Kind, string.Join('x', layer.OutputShape), Number(layer.ParameterCount), Number(layer.ProductCount));
        }

        console.Out.Write(table);
        var license = KnownModels.Find(name) is { License: { } known } model ? $" Weights: {model.Weights}, {known}." : "";
        console.WriteLine(
            $"{summary.ClassName}: input {string.Join('x', summary.InputShape)}, {summary.ClassCount} classes, {Number(summary.ParameterCount)} parameters "
            + $"({ModelTable.Millions(summary.ParameterCount)}), {ModelTable.Billions(summary.ProductCount)} GMACs, {ModelTable.Billions(2 * summary.ProductCount)} GFLOPs a picture.{license}");
        return Task.FromResult(0);
    }

    private static string Number(long count) => count == 0 ? "-" : count.ToString("N0", CultureInfo.InvariantCulture);

    private static JsonObject ToJson(ModelSummary summary) => new()
    {
        ["architecture"] = summary.ClassName,
        ["input_size"] = Shape(summary.InputShape),
        ["classes"] = summary.ClassCount,
        ["parameters"] = summary.ParameterCount,
        ["macs"] = summary.ProductCount,
        ["flops"] = 2 * summary.ProductCount,
        ["layers"] = new JsonArray([.. summary.Layers.Select(l => new JsonObject
        {
            ["name"] = l.Name,
            ["kind"] = l.Kind,
            ["output_shape"] = Shape(l.OutputShape),
            ["parameters"] = l.ParameterCount,
            ["macs"] = l.ProductCount,
        })]),
    };

    private static JsonArray Shape(IReadOnlyList<long> shape) => new([.. shape.Select(n => (JsonNode)n)]);
}
