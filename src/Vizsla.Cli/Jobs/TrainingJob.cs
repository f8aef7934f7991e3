using System.Globalization;
using Vizsla.Hub;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;

namespace Vizsla.Cli.Jobs;

/// <summary>The main job: a dataset and a model in, a run folder out.</summary>
internal static class TrainingJob
{
    /// <summary>Trains, evaluates the last or best weights, and predicts the test split.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="loaded">The splits of the dataset.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="callbacks">Are told of the training.</param>
    /// <param name="cancellationToken">Ends the training after its step, with a checkpoint.</param>
    public static async Task RunAsync(TrainingJobOptions options, DatasetDict loaded, CommandConsole console, IEnumerable<TrainerCallback> callbacks, CancellationToken cancellationToken)
    {
        var arguments = options.Arguments;
        RequireEffect(arguments);
        using var prepared = PreparedTraining.Open(options, loaded, console, callbacks, cancellationToken);
        var trainer = prepared.Trainer;
        if (arguments.DoTrain ?? true)
        {
            var output = trainer.Train(cancellationToken);
            Report(console, "train", output.Metrics);
        }

        try
        {
            Measure(prepared, arguments, console, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            console.Note($"The model in '{arguments.OutputDir}' is complete, but its evaluation was interrupted. Evaluate it with: vizsla {CommandLine.Quote(["evaluate", "--model", arguments.OutputDir, "--dataset", options.Dataset])}");
            throw;
        }

        console.WriteLine($"The model, its card and everything about the run are in '{arguments.OutputDir}'.");
        if (arguments.PushToHub && console.Processes.Rank == 0)
        {
            await PushAsync(trainer, arguments, console, cancellationToken);
        }
    }

    private static void Measure(PreparedTraining prepared, TrainingArguments arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var trainer = prepared.Trainer;
        if (prepared.Evaluation is not null && (arguments.DoEval ?? true))
        {
            var metrics = trainer.Evaluate(cancellationToken: cancellationToken);
            trainer.SaveMetrics("eval", metrics);
            trainer.SaveState();
            Report(console, "eval", metrics);
        }

        if (prepared.Test is { } test && (arguments.DoPredict ?? true))
        {
            var predicted = trainer.Predict(test, cancellationToken: cancellationToken);
            trainer.SaveMetrics("test", predicted.Metrics);
            Report(console, "test", predicted.Metrics);
        }
    }

    /// <summary>Refuses arguments of the Hub without a push to it.</summary>
    /// <exception cref="UsageException">One is given; the message names it.</exception>
    public static void RequireEffect(TrainingArguments arguments)
    {
        var given = ArgumentTable.Fields.FirstOrDefault(f => f.Name.StartsWith("hub_", StringComparison.Ordinal) && !Equals(f.ValueOf(arguments), f.Default));
        if (!arguments.PushToHub && given is not null)
        {
            throw new UsageException($"--{given.Name} has no effect without --push_to_hub: add it, or leave the option out.");
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            List<string> words = ["push", "--model", arguments.OutputDir, "--repo", arguments.HubRepository];
            words.AddRange(arguments.HubPrivateRepo == true ? ["--private"] : []);
            words.AddRange(arguments.HubRevision is { } branch ? ["--revision", branch] : []);
            console.Note($"The run is complete, but it was not pushed. {e.Message}");
            console.Note($"Push it later with: vizsla {CommandLine.Quote(words)}");
        }
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
