using System.CommandLine;
using Vizsla.Cli.Jobs;
using Vizsla.Training.Metrics;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla soup</c>: one model of several runs.</summary>
internal sealed class SoupCommand : Verb
{
    private static readonly (string Word, bool IsGreedy)[] s_methods = [("greedy", true), ("uniform", false)];

    private readonly Argument<string[]> _models;
    private readonly Option<string> _output;
    private readonly Option<string> _dataset;
    private readonly DatasetFlags _loading;
    private readonly Option<string?> _split;
    private readonly Option<string> _method;
    private readonly Option<string> _badImages;

    public SoupCommand()
        : base("soup", "Average the weights of runs that were fine-tuned from one model: one model, as fast as each of them.",
            "vizsla soup run-a run-b run-c --dataset PetClassification --output soup",
            "vizsla soup run-a run-b --dataset PetClassification --output soup --method uniform")
    {
        _models = AddArgument<string[]>("models", "Run folders or names on the Hub, two or more, of one architecture and the same labels.", ArgumentArity.OneOrMore);
        _output = AddRequired<string>("--output", "Folder that receives config.json, model.safetensors and preprocessing.");
        _dataset = AddRequired<string>("--dataset", "Folder or Hub name of the dataset that the runs learnt from: the soup is evaluated beside its parts, and statistics of batch norms are computed anew from its train split.");
        _loading = new DatasetFlags(this);
        _split = AddOption<string>("--split", "Split whose accuracy chooses the parts. Default: validation.");
        _method = AddOption("--method", "greedy: from the best run on, each that does not lower the accuracy; uniform: all of them.", "greedy");
        _badImages = AddOption("--bad_images", "Pictures that cannot be read completely: error or skip.", "error");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var isGreedy = Choice.Parse("--method", arguments.GetValue(_method)!, s_methods);
        var skips = DatasetSource.SkipsBadImages(arguments.GetValue(_badImages)!);
        var (models, output, path) = (arguments.GetValue(_models)!, arguments.GetValue(_output)!, arguments.GetValue(_dataset)!);
        if (models.Length < 2)
        {
            throw new UsageException($"A soup takes two models or more, got '{models[0]}' alone.");
        }

        if (models.Any(model => Path.GetFullPath(model) == Path.GetFullPath(output)))
        {
            throw new UsageException($"--output is the folder of one of the models, '{output}'; give another one, so that the model stays.");
        }

        foreach (var model in models)
        {
            await ModelFetch.EnsureAsync(console, model, null, cancellationToken);
        }

        var available = await DatasetSource.OpenAsync(path, revision: null, _loading.Read(arguments), console, cancellationToken);
        var name = arguments.GetValue(_split) ?? "validation";
        DatasetSource.RequireSplit(available, path, name);
        List<string> used = [.. new[] { name, "test", "train" }.Where(available.ContainsKey).Distinct()];
        var splits = DatasetSource.Check(available, path, used, skips, console, cancellationToken);
        var train = splits.GetValueOrDefault("train");

        double Accuracy(ImageClassifier model, string split)
        {
            using var trainer = new Trainer(model, new TrainingArguments { Bf16 = false }, options: new TrainerOptions { Metrics = [Metric.Accuracy] });
            return trainer.Predict(splits[split].WithTransform(model.Processor.ToPipeline()), split, cancellationToken).Metrics[$"{split}_accuracy"];
        }

        IReadOnlyList<string> shown = [.. used.Where(split => split != "train")];
        string[] Row(string title, ImageClassifier model, bool isPart) => [title, .. shown.Select(split => Invariant($"{Accuracy(model, split):0.0000}")), isPart ? "yes" : ""];
        var (soup, parts, _) = isGreedy ? ModelSoup.Greedy(models, model => Accuracy(model, name), train) : (ModelSoup.Average(models, train), models, []);
        using (soup)
        {
            console.WriteTable(["model", .. shown, "in the soup"], [.. models.Select(model =>
            {
                using var part = ImageClassifier.FromPretrained(model);
                return Row(model, part, parts.Contains(model));
            }), Row(output, soup, isPart: false)]);
            soup.Save(output);
        }

        console.WriteLine($"The soup of {Wording.Counted(parts.Count, "model")} is in '{output}'.");
        return 0;
    }
}
