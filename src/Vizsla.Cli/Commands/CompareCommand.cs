using System.CommandLine;
using System.Text.Json.Nodes;
using Vizsla.Analysis;
using Vizsla.Cli.Jobs;
using Vizsla.Primitives;
using Vizsla.Training.Metrics;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla compare</c>: models on one split, picture by picture.</summary>
internal sealed class CompareCommand : Verb
{
    private const int Listed = 10;

    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];

    private readonly Argument<string[]> _models;
    private readonly Option<string> _dataset;
    private readonly Option<string?> _revision;
    private readonly DatasetFlags _loading;
    private readonly Option<string?> _split;
    private readonly Option<int> _batchSize;
    private readonly Option<string> _badImages;
    private readonly Option<string> _format;
    private readonly Option<string?> _output;

    public CompareCommand()
        : base("compare", "Compare models on one split, picture by picture: which are won and lost, and how likely such a difference is by chance.",
            "vizsla compare run-a run-b --dataset PetClassification",
            "vizsla compare run-a run-b run-c --dataset PetClassification --output comparison.html")
    {
        _models = AddArgument<string[]>("models", "Run folders, timm folders or names on the Hub, two or more; the first is what the others are compared with.", ArgumentArity.OneOrMore);
        _dataset = AddRequired<string>("--dataset", "Folder or Hub name of the dataset, with the classes that the models know.");
        _revision = AddOption<string>("--revision", "Branch, tag or commit of a dataset on the Hub. Default: main.", aliases: "--dataset_revision");
        _loading = new DatasetFlags(this);
        _split = AddOption<string>("--split", "Split to compare on. Default: test, else validation.");
        _batchSize = AddOption("--per_device_eval_batch_size", "Pictures per forward pass, at least 1.", 64, "--batch_size");
        _badImages = AddOption("--bad_images", "Pictures that cannot be read completely: error or skip.", "error");
        _format = AddOption("--format", "table or json (which lists every picture).", "table");
        _output = AddOption<string>("--output", "HTML file to write as well: the table, and the pictures that are won and lost.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var skips = DatasetSource.SkipsBadImages(arguments.GetValue(_badImages)!);
        var (models, path) = (arguments.GetValue(_models)!, arguments.GetValue(_dataset)!);
        var page = arguments.GetValue(_output);
        if (page is not null && !string.Equals(Path.GetExtension(page), ".html", StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"--output takes a path that ends in .html, got '{page}'.");
        }

        if (models.Length < 2)
        {
            throw new UsageException($"A comparison takes two models or more, got '{models[0]}' alone.");
        }

        foreach (var model in models)
        {
            await ModelFetch.EnsureAsync(console, model, null, cancellationToken);
        }

        var available = await DatasetSource.OpenAsync(path, arguments.GetValue(_revision), _loading.Read(arguments), console, cancellationToken);
        var name = DatasetSource.HeldOut(available, path, arguments.GetValue(_split));

        var split = DatasetSource.Check(available, path, [name], skips, console, cancellationToken)[name];
        if (split.Count == 0)
        {
            throw new UsageException($"The split '{name}' of '{path}' has no pictures to compare on.");
        }

        var answers = models.Select(model => Ask(model, split, name, arguments.GetValue(_batchSize), cancellationToken)).ToList();
        if (asJson)
        {
            console.WriteLine(PythonJson.Serialize(Json(answers, split), indent: 2, sortKeys: false, ensureAscii: false));
        }
        else
        {
            Write(console, answers, split, name);
        }

        if (page is not null)
        {
            ComparisonPage.Write(page, answers, split, name);
            console.Note($"Wrote '{page}'.");
        }

        return 0;
    }

    private static ModelAnswers Ask(string model, ImageDataset split, string name, int batchSize, CancellationToken cancellationToken)
    {
        using var classifier = ImageClassifier.FromPretrained(model);
        split.SetTransform(classifier.Processor.ToPipeline());
        using var trainer = new Trainer(classifier, new TrainingArguments { PerDeviceEvalBatchSize = batchSize, Bf16 = false }, options: new TrainerOptions { Metrics = [Metric.Accuracy] });
        var (prediction, _) = trainer.Predict(split, name, cancellationToken);
        if (!prediction.IsLabelled)
        {
            throw new UsageException($"The split '{name}' has no labels to compare with.");
        }

        return new(
            model, [.. Enumerable.Range(0, prediction.Count).Select(row => prediction.Predicted(row) == prediction.LabelIds[row])],
            [.. Enumerable.Range(0, prediction.Count).Select(row => prediction.Labels[prediction.Predicted(row)])]);
    }

    private static void Write(CommandConsole console, List<ModelAnswers> answers, ImageDataset split, string name)
    {
        console.WriteTable(["model", "accuracy", "95 %", "difference", "95 % of it", "won", "lost", "p (McNemar)"], answers.Select(model =>
        {
            string[] own = [model.Model, Invariant($"{model.Accuracy:0.0000}"), Invariant($"{model.Interval.Low:0.000} to {model.Interval.High:0.000}")];
            if (model == answers[0])
            {
                return [.. own, "", "", "", "", ""];
            }

            var (test, difference, (low, high)) = ModelContest.Of(model, answers[0]);
            return (string[])[.. own, Invariant($"{difference:+0.0000;-0.0000;0}"), Invariant($"{low:+0.000;-0.000;0} to {high:+0.000;-0.000;0}"), Invariant($"{test.OnlyFirst}"), Invariant($"{test.OnlySecond}"), Invariant($"{test.ExactP:0.0000}")];
        }));
        console.WriteLine($"On the {Wording.Counted(split.Count, "picture")} of '{name}', beside '{answers[0].Model}'. p: how often models that are equally good differ as much (exact test on the pictures that only one of them classifies correctly).");
        foreach (var other in answers.Skip(1))
        {
            WritePictures(console, $"Won by '{other.Model}'", other, answers[0], split);
            WritePictures(console, $"Lost by '{other.Model}'", answers[0], other, split);
        }
    }

    private static void WritePictures(CommandConsole console, string title, ModelAnswers right, ModelAnswers wrong, ImageDataset split)
    {
        var rows = Enumerable.Range(0, split.Count).Where(row => right.Right[row] && !wrong.Right[row]).ToList();
        if (rows.Count == 0)
        {
            return;
        }

        console.WriteLine($"{title}{(rows.Count > Listed ? $" ({Listed} of {rows.Count}; --format json lists all)" : "")}:");
        console.WriteTable(["picture", "label", "the other says"], rows.Take(Listed).Select(row => new[] { split[row].Name, right.Predicted[row], wrong.Predicted[row] }));
    }

    private static JsonObject Json(List<ModelAnswers> answers, ImageDataset split) => new()
    {
        ["models"] = new JsonArray([.. answers.Select(model =>
        {
            var node = new JsonObject { ["model"] = model.Model, ["accuracy"] = model.Accuracy, ["accuracy_low"] = model.Interval.Low, ["accuracy_high"] = model.Interval.High };
            if (model != answers[0])
            {
                var (test, difference, interval) = ModelContest.Of(model, answers[0]);
                (node["difference"], node["difference_low"], node["difference_high"]) = (difference, interval.Low, interval.High);
                (node["won"], node["lost"], node["mcnemar_exact_p"], node["mcnemar_chi2"], node["mcnemar_chi2_p"]) = (test.OnlyFirst, test.OnlySecond, test.ExactP, test.ChiSquare, test.ChiSquareP);
            }

            return node;
        })]),
        ["pictures"] = new JsonArray([.. Enumerable.Range(0, split.Count).Select(row => new JsonObject
        {
            ["file_name"] = split[row].Name, ["label"] = split.ClassNames[split.Label(row)], ["predicted"] = new JsonArray([.. answers.Select(a => (JsonNode)a.Predicted[row])]),
        })]),
    };
}
