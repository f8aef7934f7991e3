using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vizsla.Models;
using Vizsla.Primitives;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla models</c>: the models that can be named, how large they are, how good, and under what licence.</summary>
internal sealed class ModelsCommand : Verb
{
    private readonly Option<string?> _filter;
    private readonly Option<string> _format;

    public ModelsCommand()
        : base("models", "List the models that --model knows by name, family by family: parameters, work per picture, picture size, accuracy on ImageNet, licence of the weights.",
            "vizsla models",
            "vizsla models --filter efficientnet --format json",
            "vizsla models search resnet --max_parameters 30 --sort accuracy",
            "vizsla models describe resnet50 --depth 1")
    {
        _filter = AddOption<string>("--filter", "List only names that contain this.");
        _format = AddOption("--format", "table or json.", "table");
        Subcommands.Add(new ModelsSearchCommand());
        Subcommands.Add(new ModelsDescribeCommand());
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = ModelTable.IsJson(arguments.GetValue(_format)!);
        var filter = arguments.GetValue(_filter) ?? "";
        var models = KnownModels.All.Where(m => m.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)).ToList();
        if (models.Count == 0)
        {
            var names = KnownModels.All.Select(m => m.Name).ToList();
            throw new UsageException($"No known model has '{filter}' in its name.{Suggestion.DidYouMean(filter, names)} Without --filter all {names.Count} are listed.");
        }

        ModelTable.Write(models, asJson, console);
        return Task.FromResult(0);
    }
}

/// <summary><c>vizsla models search</c>: the models that fit words and limits, the best first.</summary>
internal sealed class ModelsSearchCommand : Verb
{
    private static readonly (string Word, Func<KnownModel, double> Key)[] s_orders =
    [
        ("accuracy", m => -(m.Accuracy ?? 0)),
        ("parameters", m => m.Size?.Parameters ?? double.MaxValue),
        ("macs", m => m.Size?.Products ?? double.MaxValue),
        ("name", _ => 0),
    ];

    private readonly Argument<string[]> _words = new("words")
    {
        Description = "Words that the name, the family or the weights contain, all of them; capital letters do not matter.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<double?> _parameters;
    private readonly Option<double?> _products;
    private readonly Option<bool> _pretrained;
    private readonly Option<string> _sort;
    private readonly Option<int> _limit;
    private readonly Option<string> _format;

    public ModelsSearchCommand()
        : base("search", "Search the models that --model knows by name.",
            "vizsla models search resnet",
            "vizsla models search vit dinov3 --pretrained",
            "vizsla models search --max_gmacs 1 --sort accuracy --limit 10")
    {
        Arguments.Add(_words);
        _parameters = AddOption<double?>("--max_parameters", "Parameters at most, in millions.");
        _products = AddOption<double?>("--max_gmacs", "Multiplications for one picture at most, in billions.");
        _pretrained = AddOption("--pretrained", "Only models with trained weights.", false);
        _sort = AddOption("--sort", "accuracy (published on ImageNet, the best first), parameters, macs or name.", "accuracy");
        _limit = AddOption("--limit", "List so many at most.", 20);
        _format = AddOption("--format", "table or json.", "table");
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = ModelTable.IsJson(arguments.GetValue(_format)!);
        var order = Choice.Parse("--sort", arguments.GetValue(_sort)!, s_orders);
        var words = arguments.GetValue(_words) ?? [];
        var (parameters, products) = (Limit("--max_parameters", arguments.GetValue(_parameters), 1e6), Limit("--max_gmacs", arguments.GetValue(_products), 1e9));
        var limit = arguments.GetValue(_limit);
        if (limit < 1)
        {
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--limit is {limit}, expected at least 1."));
        }

        var isPretrained = arguments.GetValue(_pretrained);
        var fitting = KnownModels.All.Where(m => words.All(w => Contains(m, w))).ToList();
        var found = fitting
            .Where(m => (!isPretrained || m.Weights is not null) && (m.Size?.Parameters ?? 0) <= parameters && (m.Size?.Products ?? 0) <= products)
            .OrderBy(order).ThenBy(m => m.Name, StringComparer.Ordinal).ToList();
        if (found.Count == 0)
        {
            var what = string.Join(' ', words);
            throw new UsageException(fitting.Count > 0
                ? string.Create(CultureInfo.InvariantCulture, $"None of the {fitting.Count} models that fit '{what}' is within the limits; raise --max_parameters or --max_gmacs.")
                : $"No known model fits '{what}'.{Suggestion.DidYouMean(what, KnownModels.All.Select(m => m.Name).Concat(KnownModels.All.Select(m => m.Family)).Distinct())} 'vizsla models' lists all {KnownModels.All.Count}.");
        }

        ModelTable.Write([.. found.Take(limit)], asJson, console);
        if (found.Count > limit && !asJson)
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{limit} of {found.Count}; --limit {found.Count} lists all."));
        }

        return Task.FromResult(0);
    }

    private static double Limit(string option, double? value, double unit) => value switch
    {
        null => double.MaxValue,
        > 0 => value.Value * unit,
        _ => throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option} is {value}, expected a number above 0.")),
    };

    private static bool Contains(KnownModel model, string word) =>
        new[] { model.Name, model.Family, model.Weights ?? "" }.Any(text => text.Contains(word, StringComparison.OrdinalIgnoreCase));
}

/// <summary>How models are listed.</summary>
internal static class ModelTable
{
    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];

    public static bool IsJson(string format) => Choice.Parse("--format", format, s_formats);

    public static void Write(IReadOnlyList<KnownModel> models, bool asJson, CommandConsole console)
    {
        if (asJson)
        {
            console.WriteLine(PythonJson.Serialize(new JsonArray([.. models.Select(ToJson)]), indent: 2, sortKeys: false));
            return;
        }

        var table = new Table().AddColumn("name").AddColumn("family")
            .AddColumn(new TableColumn("parameters").RightAligned()).AddColumn(new TableColumn("GMACs").RightAligned()).AddColumn(new TableColumn("GFLOPs").RightAligned())
            .AddColumn(new TableColumn("input").RightAligned()).AddColumn(new TableColumn("ImageNet").RightAligned()).AddColumn("weights").AddColumn("licence");
        foreach (var model in models)
        {
            var (parameters, products) = SizeOf(model);
            table.AddRow(
                Markup.Escape(model.Name), Markup.Escape(model.Family), Millions(parameters), Billions(products), Billions(2 * products), $"{model.InputSide}x{model.InputSide}",
                model.Accuracy is { } accuracy ? string.Create(CultureInfo.InvariantCulture, $"{accuracy:0.0} %") : "-",
                Markup.Escape(model.Weights ?? "none (--from_scratch)"), model.License ?? "-");
        }

        console.Out.Write(table);
        console.WriteLine("A GMAC is a billion multiplications with their additions, two floating point operations each: for one picture, without norms and activations. ImageNet: published share of first classes that are right.");
    }

    public static string Millions(long count) => string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:0.00} M");

    public static string Billions(long count) => string.Create(CultureInfo.InvariantCulture, $"{count / 1e9:0.00}");

    private static (long Parameters, long Products) SizeOf(KnownModel model) =>
        model.Size ?? (model.Summarize() is var summary ? (summary.ParameterCount, summary.ProductCount) : default);

    private static JsonObject ToJson(KnownModel model)
    {
        var (parameters, products) = SizeOf(model);
        return new JsonObject
        {
            ["name"] = model.Name,
            ["family"] = model.Family,
            ["weights"] = model.Weights,
            ["license"] = model.License,
            ["input_size"] = new JsonArray(3, model.InputSide, model.InputSide),
            ["classes"] = model.Configure().LabelCount,
            ["parameters"] = parameters,
            ["macs"] = products,
            ["flops"] = 2 * products,
            ["imagenet_top1"] = model.Accuracy,
        };
    }
}
