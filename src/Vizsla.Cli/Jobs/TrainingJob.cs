using System.Globalization;
using Vizsla.Hub;
using Vizsla.Models;
using Vizsla.Training;
using Vizsla.Training.Arguments;
using Vizsla.Training.Publishing;
using Vizsla.Transforms;

namespace Vizsla.Cli.Jobs;

/// <summary>The main job: a dataset and a model in, a run folder out.</summary>
internal static class TrainingJob
{
    private static readonly string[] s_evaluationSplits = ["validation", "test"];

    /// <summary>Trains, evaluates the last or best weights, and predicts the test split.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="loaded">The splits of the dataset.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="callbacks">Hear of the training.</param>
    /// <param name="cancellationToken">Ends the training after its step, with a checkpoint.</param>
    public static async Task RunAsync(TrainingJobOptions options, DatasetDict loaded, CommandConsole console, IEnumerable<TrainerCallback> callbacks, CancellationToken cancellationToken)
    {
        var arguments = options.Arguments;
        RequireEffect(arguments);
        var dataset = DatasetSource.Check(loaded, options.Dataset, splits: null, options.SkipBadImages, console, cancellationToken);
        if (options.TrainSplit == "train" && !dataset.ContainsKey("train"))
        {
            throw new UsageException($"'{options.Dataset}' has no train split, only {string.Join(", ", dataset.Keys)}. 'vizsla prepare' makes one, --train_split names another.");
        }

        var train = Split(options, dataset, "--train_split", options.TrainSplit);
        var evaluation = EvaluationSplit(options, dataset, console);
        using var model = OpenModel(options, train.ClassNames, console);
        train.SetTransform(options.Transforms?.Train ?? Pipelines.Tutorial(model.Processor));
        var evaluationPipeline = options.Transforms?.Evaluation ?? Pipelines.TutorialEvaluation(model.Processor);
        var test = dataset.GetValueOrDefault("test");
        foreach (var split in new[] { evaluation, test }.OfType<ImageDataset>())
        {
            split.SetTransform(evaluationPipeline);
        }

        using var log = new ConsoleLog(console);
        using var trainer = new Trainer(model, arguments, train, evaluation, callbacks: callbacks, logger: log.CreateLogger(nameof(Trainer)));
        EarlierRun.Note(trainer.Notes, options);
        if (arguments.DoTrain ?? true)
        {
            var output = trainer.Train(cancellationToken);
            Report(console, "train", output.Metrics);
        }

        if (evaluation is not null && (arguments.DoEval ?? true))
        {
            var metrics = trainer.Evaluate();
            trainer.SaveMetrics("eval", metrics);
            trainer.SaveState();
            Report(console, "eval", metrics);
        }

        if (test is not null && (arguments.DoPredict ?? true))
        {
            var predicted = trainer.Predict(test);
            trainer.SaveMetrics("test", predicted.Metrics);
            Report(console, "test", predicted.Metrics);
        }

        console.WriteLine($"The model, its card and everything about the run are in '{arguments.OutputDir}'.");
        if (arguments.PushToHub)
        {
            await PushAsync(trainer, arguments, console, cancellationToken);
        }
    }

    private static void RequireEffect(TrainingArguments arguments)
    {
        var given = ArgumentTable.Fields.FirstOrDefault(f => f.Name.StartsWith("hub_", StringComparison.Ordinal) && !Equals(f.ValueOf(arguments), f.Default));
        if (!arguments.PushToHub && given is not null)
        {
            throw new UsageException($"--{given.Name} is without effect where nothing is pushed: add --push_to_hub, or leave it out.");
        }
    }

    // The run is whole by then: a Hub that fails is said, with the way to push later, and fails nothing.
    private static async Task PushAsync(Trainer trainer, TrainingArguments arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        try
        {
            var result = await trainer.PushToHubAsync(cancellationToken: cancellationToken);
            console.WriteLine($"Pushed to the Hub: {result.Url}");
        }
        catch (HubException e)
        {
            List<string> words = ["push", "--model", arguments.OutputDir, "--repo", HubPublisher.NameOf(arguments)];
            words.AddRange(arguments.HubPrivateRepo == true ? ["--private"] : []);
            words.AddRange(arguments.HubRevision is { } branch ? ["--revision", branch] : []);
            console.Note($"The run is whole, but it was not pushed. {e.Message}");
            console.Note($"Push it later with: vizsla {CommandLine.Quote(words)}");
        }
    }

    private static ImageDataset? EvaluationSplit(TrainingJobOptions options, DatasetDict dataset, CommandConsole console)
    {
        var name = options.EvalSplit ?? s_evaluationSplits.FirstOrDefault(dataset.ContainsKey);
        if (name is null)
        {
            return null;
        }

        var split = Split(options, dataset, "--eval_split", name);
        console.Note($"Evaluating on the split '{name}' ({split.Count} pictures).");
        return split;
    }

    // A split by its name, or a slice such as train[:90%].
    private static ImageDataset Split(TrainingJobOptions options, DatasetDict dataset, string option, string name) =>
        dataset.TryGetValue(name, out var split) ? split
        : name.Contains('[', StringComparison.Ordinal) || name.Contains('+', StringComparison.Ordinal) ? dataset.Select(name)
        : throw new UsageException($"{option} '{name}' is no split of '{options.Dataset}'. It has {string.Join(", ", dataset.Keys)}.");

    private static ImageClassifier OpenModel(TrainingJobOptions options, IReadOnlyList<string> labels, CommandConsole console)
    {
        if (options.FromScratch)
        {
            console.Note($"Starting '{options.Model}' from drawn weights.");
            return ImageClassifier.Create(options.Model, labels, options.ImageSize, options.Arguments.Seed);
        }

        if (options.ImageSize is not null)
        {
            throw new UsageException("--image_size goes with --from_scratch; a trained model keeps the size of its configuration.");
        }

        var model = ImageClassifier.FromPretrained(options.Model, labels, options.IgnoreMismatchedSizes ?? true, options.Arguments.Seed, revision: options.ModelRevision);
        if (model.LoadReport?.NewlyInitializedMessage is { } replaced)
        {
            console.Note(replaced);
        }

        return model;
    }

    // The block that the Hugging Face example scripts print.
    private static void Report(CommandConsole console, string split, IReadOnlyDictionary<string, double> metrics)
    {
        console.WriteLine($"***** {split} metrics *****");
        var rows = metrics.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => (m.Key, Text: Format(m.Key, m.Value))).ToList();
        var (name, value) = (rows.Max(r => r.Key.Length), rows.Max(r => r.Text.Length));
        foreach (var (key, text) in rows)
        {
            console.WriteLine($"  {key.PadRight(name)} = {text.PadLeft(value)}");
        }
    }

    private static string Format(string key, double value)
    {
        if (key.EndsWith("_runtime", StringComparison.Ordinal))
        {
            var time = TimeSpan.FromSeconds(value);
            return string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}.{time.Milliseconds / 10:00}");
        }

        return key == "total_flos"
            ? string.Create(CultureInfo.InvariantCulture, $"{(long)value >> 30}GF")
            : Math.Round(value, 4).ToString(CultureInfo.InvariantCulture);
    }
}
