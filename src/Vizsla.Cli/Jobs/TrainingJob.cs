using System.Globalization;
using Vizsla.Models;
using Vizsla.Training;
using Vizsla.Transforms;

namespace Vizsla.Cli.Jobs;

/// <summary>The main job: a dataset and a model in, a run folder out.</summary>
internal static class TrainingJob
{
    private static readonly string[] s_evaluationSplits = ["validation", "test"];

    /// <summary>Trains, evaluates the last or best weights, and predicts the test split.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="callbacks">Hear of the training.</param>
    /// <param name="cancellationToken">Ends the training after its step, with a checkpoint.</param>
    public static void Run(TrainingJobOptions options, CommandConsole console, IEnumerable<TrainerCallback> callbacks, CancellationToken cancellationToken)
    {
        var arguments = options.Arguments;
        var dataset = DatasetSource.Load(options.Dataset, splits: null, options.SkipBadImages, console, cancellationToken);
        if (!dataset.TryGetValue("train", out var train))
        {
            throw new UsageException($"'{options.Dataset}' has no train split, only {string.Join(", ", dataset.Keys)}. 'vizsla prepare' makes one.");
        }

        var evaluation = EvaluationSplit(options, dataset, console);
        using var model = OpenModel(options, train.ClassNames, console);
        train.SetTransform(options.Transforms?.Train ?? Pipelines.Tutorial(model.Processor));
        var evaluationPipeline = options.Transforms?.Evaluation ?? Pipelines.TutorialEvaluation(model.Processor);
        foreach (var (_, split) in dataset.Where(s => s.Key != "train"))
        {
            split.SetTransform(evaluationPipeline);
        }

        using var trainer = new Trainer(model, arguments, train, evaluation, callbacks: callbacks);
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

        if (dataset.TryGetValue("test", out var test) && (arguments.DoPredict ?? true))
        {
            var predicted = trainer.Predict(test);
            trainer.SaveMetrics("test", predicted.Metrics);
            Report(console, "test", predicted.Metrics);
        }

        console.WriteLine($"The model, its card and everything about the run are in '{arguments.OutputDir}'.");
    }

    private static ImageDataset? EvaluationSplit(TrainingJobOptions options, DatasetDict dataset, CommandConsole console)
    {
        var name = options.EvalSplit ?? s_evaluationSplits.FirstOrDefault(dataset.ContainsKey);
        if (name is null)
        {
            return null;
        }

        if (!dataset.TryGetValue(name, out var split))
        {
            throw new UsageException($"--eval_split '{name}' is no split of '{options.Dataset}'. It has {string.Join(", ", dataset.Keys)}.");
        }

        console.Note($"Evaluating on the split '{name}' ({split.Count} pictures).");
        return split;
    }

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

        var model = ImageClassifier.FromPretrained(options.Model, labels, options.IgnoreMismatchedSizes ?? true, options.Arguments.Seed);
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
