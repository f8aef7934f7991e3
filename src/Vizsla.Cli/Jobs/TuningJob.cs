using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Primitives;

namespace Vizsla.Cli.Jobs;

/// <summary>One training of a search.</summary>
/// <param name="Name">Name of its run folder.</param>
/// <param name="Setting">Number of its setting.</param>
/// <param name="Values">Value of each argument that is searched.</param>
/// <param name="Epochs">Epochs of a round of successive halving; null where <c>train</c> decides.</param>
/// <param name="Seed">The training's seed; null where <c>train</c> decides.</param>
internal sealed record Trial(string Name, int Setting, IReadOnlyList<string> Values, double? Epochs, long? Seed)
{
    /// <summary>What came out; null before it is done.</summary>
    public double? Result { get; init; }

    /// <summary>Why it failed; null where it did not.</summary>
    public string? Error { get; init; }

    /// <summary>How long it took, seconds.</summary>
    public double Seconds { get; init; }

    public bool IsDone => Result is not null || Error is not null;
}

/// <summary>A search over arguments of <c>train</c>: each trial is a run folder, and <c>tune.json</c> says what is done, so that a second start goes on.</summary>
/// <param name="console">Where to write.</param>
/// <param name="folder">Folder of the search.</param>
/// <param name="space">The arguments.</param>
/// <param name="train">What follows <c>train</c> in every trial.</param>
/// <param name="metric">Key of what is compared, without <c>eval_</c>.</param>
/// <param name="greaterIsBetter">Whether a larger value is better.</param>
internal sealed class TuningJob(CommandConsole console, string folder, IReadOnlyList<TuningArgument> space, IReadOnlyList<string> train, string metric, bool greaterIsBetter)
{
    private const string FileName = "tune.json";
    private const string ResultsName = "eval_results.json";

    private readonly List<Trial> _trials = [];
    private JsonObject _asked = [];

    /// <summary>What is done, in the order of the work.</summary>
    public IReadOnlyList<Trial> Trials => _trials;

    /// <summary>Opens the folder.</summary>
    /// <param name="asked">What the search is: another one in the same folder is refused.</param>
    /// <exception cref="UsageException">The folder holds another search, or something else.</exception>
    public void Open(JsonObject asked)
    {
        _asked = asked;
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            {
                throw new UsageException($"The folder '{folder}' holds something that is no search; give another --output, or empty it.");
            }

            Directory.CreateDirectory(folder);
            Save();
            return;
        }

        var before = PythonJson.Parse(File.ReadAllText(path))!.AsObject();
        if (before["trials"]!.AsArray().Count == 0 && Directory.EnumerateFileSystemEntries(folder).Count() == 1)
        {
            Save();
            return;
        }

        var (there, here) = (PythonJson.Serialize(before["search"], indent: null, sortKeys: false), PythonJson.Serialize(asked, indent: null, sortKeys: false));
        if (there != here)
        {
            throw new UsageException($"'{folder}' holds another search: {there}. Asked now: {here}. Give another --output, or remove the folder.");
        }

        _trials.AddRange(before["trials"]!.AsArray().Select(t => Read(t!.AsObject())));
        console.Note(Invariant($"Going on with '{folder}': {_trials.Count} trials are done."));
    }

    /// <summary>Runs the trials that are not done.</summary>
    /// <param name="trials">The trials.</param>
    /// <param name="cancellationToken">Stops after the step of the training under way.</param>
    /// <returns>The trials with their results.</returns>
    /// <exception cref="UsageException">What is trained cannot be trained so, whatever the values.</exception>
    public async Task<IReadOnlyList<Trial>> RunAsync(IReadOnlyList<Trial> trials, CancellationToken cancellationToken)
    {
        var done = new List<Trial>(trials.Count);
        foreach (var (i, trial) in trials.Index())
        {
            var finished = _trials.FirstOrDefault(t => t.Name == trial.Name);
            if (finished is null)
            {
                cancellationToken.ThrowIfCancellationRequested();
                finished = await TrainAsync(trial, cancellationToken);
                _trials.Add(finished);
                Save();
                console.Note(Invariant($"[{i + 1}/{trials.Count}] {finished.Name}: {Describe(finished)}: {(finished.Error is { } error ? $"failed: {error}" : $"{metric} {finished.Result:0.####}")} ({finished.Seconds:0.0} s)"));
            }

            done.Add(finished);
        }

        return done;
    }

    /// <summary>The best of some trials first; the failed ones last.</summary>
    public IEnumerable<Trial> Ranked(IEnumerable<Trial> trials) => trials.OrderBy(t => t.Result is null).ThenBy(t => greaterIsBetter ? -t.Result : t.Result);

    /// <summary>A trial's values in words.</summary>
    public string Describe(Trial trial) => string.Join(", ", space.Select((a, i) => $"{a.Name} {trial.Values[i]}"));

    private async Task<Trial> TrainAsync(Trial trial, CancellationToken cancellationToken)
    {
        var run = Path.Combine(folder, trial.Name);
        var started = Stopwatch.GetTimestamp();
        var (status, error) = await StartAsync(HasCheckpoint(run)
            ? ["train", "--output", run, "--resume_from_checkpoint", "true"]
            : [
                "train", .. train, .. space.SelectMany((a, i) => new[] { "--" + a.Name, trial.Values[i] }),
                .. trial.Epochs is { } epochs ? new[] { "--num_train_epochs", epochs.ToString("R", CultureInfo.InvariantCulture) } : [],
                .. trial.Seed is { } seed ? new[] { "--seed", seed.ToString(CultureInfo.InvariantCulture) } : [],
                "--do_predict", "false", "--overwrite_output_dir", "true", "--output", run,
            ]);
        if (status == CommandLine.Interrupted || cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }

        trial = trial with { Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
        if (status == 0)
        {
            return trial with { Result = ResultOf(run) };
        }

        // A value that cannot be is this trial's own; a first trial that cannot even start says that none can.
        var reason = error.Trim().Split('\n')[^1];
        if (_trials.Count > 0 || Directory.Exists(run))
        {
            return trial with { Error = reason };
        }

        File.Delete(Path.Combine(folder, FileName));
        if (!Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }

        throw new UsageException(error.Trim());
    }

    private static async Task<(int Status, string Error)> StartAsync(IReadOnlyList<string> words)
    {
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        var status = await CommandLine.RunAsync(words, CommandConsole.To(TextWriter.Null, error));
        return (status, error.ToString());
    }

    private static bool HasCheckpoint(string run) => Directory.Exists(run) && Directory.EnumerateDirectories(run, "checkpoint-*").Any();

    private double ResultOf(string run)
    {
        var path = Path.Combine(run, ResultsName);
        var results = File.Exists(path) ? PythonJson.Parse(File.ReadAllText(path))!.AsObject() : [];
        return results[$"eval_{metric}"] is { } value
            ? double.Parse(value.ToString(), CultureInfo.InvariantCulture)
            : throw new UsageException(results.Count == 0
                ? $"The trial in '{run}' was not evaluated, so that there is nothing to compare: the dataset needs a validation split, and do_eval has to stay on."
                : $"The trial in '{run}' has no metric '{metric}'. It has: {string.Join(", ", results.Where(r => r.Key.StartsWith("eval_", StringComparison.Ordinal)).Select(r => r.Key["eval_".Length..]))}. Choose one with --metric.");
    }

    private void Save() => AtomicFile.Write(
        Path.Combine(folder, FileName),
        PythonJson.Serialize(new JsonObject { ["search"] = _asked.DeepClone(), ["trials"] = new JsonArray([.. _trials.Select(Write)]) }, indent: 2, sortKeys: false) + "\n",
        flush: true);

    private static JsonObject Write(Trial trial) => new()
    {
        ["name"] = trial.Name,
        ["setting"] = trial.Setting,
        ["values"] = new JsonArray([.. trial.Values.Select(v => (JsonNode)v)]),
        ["epochs"] = trial.Epochs,
        ["seed"] = trial.Seed,
        ["result"] = trial.Result,
        ["error"] = trial.Error,
        ["seconds"] = Math.Round(trial.Seconds, 3),
    };

    private static Trial Read(JsonObject json)
    {
        double? Number(string key) => json[key] is { } node ? double.Parse(node.ToString(), CultureInfo.InvariantCulture) : null;
        return new Trial(json["name"]!.ToString(), (int)Number("setting")!, [.. json["values"]!.AsArray().Select(v => v!.ToString())], Number("epochs"), (long?)Number("seed"))
        {
            Result = Number("result"),
            Error = json["error"]?.ToString(),
            Seconds = Number("seconds") ?? 0,
        };
    }
}
