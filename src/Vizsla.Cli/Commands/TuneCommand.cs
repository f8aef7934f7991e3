using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Cli.Jobs;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Training.Metrics;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla tune</c>: the values of some arguments of <c>train</c> that do best on the validation split.</summary>
internal sealed class TuneCommand : Verb
{
    private const int Listed = 10;
    private const int DefaultTrials = 20;
    private const double DefaultEpochs = 3;
    private const string Epochs = "num_train_epochs";

    private enum Method
    {
        Grid,
        Random,
        Halving,
    }

    private static readonly (string Word, Method Value)[] s_methods = [("grid", Method.Grid), ("random", Method.Random), ("halving", Method.Halving)];

    private readonly Option<string[]> _search;
    private readonly Option<string?> _method;
    private readonly Option<int?> _trials;
    private readonly Option<int> _repeats;
    private readonly Option<long> _seed;
    private readonly Option<string> _metric;
    private readonly Option<string> _output;
    private readonly Argument<string[]> _train;

    public TuneCommand()
        : base("tune", "Search the values of arguments that train best: each trial is a run folder, compared on the validation split; started again, a search goes on.",
            "vizsla tune --search learning_rate=1e-4,3e-4,1e-3 --search weight_decay=0,0.01 --output tune-pets -- --dataset PetClassification --config pets-probe",
            "vizsla tune --search learning_rate=1e-5:1e-3:log --trials 20 --output tune-pets -- --dataset PetClassification --model tf_efficientnet_lite0",
            "vizsla tune --search learning_rate=1e-5:1e-3:log --method halving --trials 9 --output tune-pets -- --dataset PetClassification --num_train_epochs 9")
    {
        _search = AddOption("--search", "An argument of 'vizsla train' with its values, name=a,b,c, or with a range to draw from, name=low:high or name=low:high:log; repeatable.", Array.Empty<string>());
        _method = AddOption<string>("--method", "grid (every combination), random (--trials of them), or halving (all with few epochs, then the better third with three times as many, and so on). Default: grid, and random with --trials.");
        _trials = AddOption<int?>("--trials", $"Settings to draw, at least 1. Default: {DefaultTrials} where the method draws; a grid has all.");
        _repeats = AddOption("--repeats", "Trainings of each setting, with seeds one after the other; their mean counts. At least 1.", 1);
        _seed = AddOption("--seed", "Seed of the draws, and of the first training of each setting.", 42L);
        _metric = AddOption("--metric", "What is compared: loss, or a metric of the evaluation.", "accuracy");
        _output = AddRequired<string>("--output", "Folder of the search: a run folder for each trial, tune.json, tune.csv and tune.png.", "-o");
        _train = AddArgument<string[]>("train", "After --: what follows 'vizsla train' in every trial.", ArgumentArity.ZeroOrMore);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var known = CommandLine.CreateRoot().Subcommands.Single(c => c.Name == "train").Options.Where(o => !o.Hidden).Select(o => o.Name.TrimStart('-')).ToList();
        var space = arguments.GetValue(_search)!.Select(s => TuningArgument.Parse(s, known)).ToList();
        var (trials, repeats, seed) = (arguments.GetValue(_trials), arguments.GetValue(_repeats), arguments.GetValue(_seed));
        var method = arguments.GetValue(_method) is { } word ? Choice.Parse("--method", word, s_methods) : trials is null ? Method.Grid : Method.Random;
        var train = arguments.GetValue(_train)!;
        Check(space, train, method, trials, repeats);
        var name = arguments.GetValue(_metric)!;
        var (metric, greaterIsBetter) = MetricOf(name);
        var settings = method == Method.Grid || (method == Method.Halving && trials is null && space.All(a => !a.IsRange)) ? TuningPlan.Grid(space) : TuningPlan.Random(space, trials ?? DefaultTrials, (ulong)seed);
        var folder = arguments.GetValue(_output)!;
        var (epochs, others) = method == Method.Halving ? TakeEpochs(train) : (0, train);
        var job = new TuningJob(console, folder, space, others, metric, greaterIsBetter);
        job.Open(new JsonObject
        {
            ["search"] = new JsonArray([.. arguments.GetValue(_search)!.Select(s => (JsonNode)s)]),
            ["method"] = method.ToString().ToLowerInvariant(),
            ["trials"] = settings.Count,
            ["repeats"] = repeats,
            ["seed"] = seed,
            ["metric"] = metric,
            ["train"] = new JsonArray([.. train.Select(s => (JsonNode)s)]),
        });
        try
        {
            var last = method == Method.Halving
                ? await HalveAsync(job, settings, epochs, repeats, seed, console, cancellationToken)
                : await job.RunAsync([.. settings.SelectMany((values, i) => Repeated(values, i, null, repeats, seed))], cancellationToken);
            return Finish(job, space, last, metric, folder, console);
        }
        catch (OperationCanceledException)
        {
            console.Note($"Stopped after {Wording.Counted(job.Trials.Count, "trial")}; the same command goes on.");
            return CommandLine.Interrupted;
        }
    }

    private static (string Name, bool GreaterIsBetter) MetricOf(string name)
    {
        if (name is "loss" or "eval_loss")
        {
            return ("loss", false);
        }

        try
        {
            var found = Metric.Find(name);
            return (found.Name, found.GreaterIsBetter);
        }
        catch (ArgumentException)
        {
            var known = Metric.All.Select(m => m.Name).Prepend("loss").ToList();
            throw new UsageException($"--metric takes {string.Join(", ", known)}, got '{name}'.{Suggestion.DidYouMean(name, known)}");
        }
    }

    private static void Check(List<TuningArgument> space, string[] train, Method method, int? trials, int repeats)
    {
        if (space.Count == 0)
        {
            throw new UsageException("Option '--search' is required: name=value,value or name=low:high[:log].");
        }

        if (trials < 1 || repeats < 1)
        {
            throw new UsageException(trials < 1 ? Invariant($"--trials is {trials}, expected at least 1.") : Invariant($"--repeats is {repeats}, expected at least 1."));
        }

        if (method == Method.Grid && trials is not null)
        {
            throw new UsageException("--method grid tries every combination, and --trials draws some; leave one of them out.");
        }

        var given = train.Select(w => w.TrimStart('-').Replace('-', '_').Split('=')[0]).ToList();
        if (space.Select(a => a.Name).Append("output").Append("output_dir").FirstOrDefault(n => train.Zip(given).Any(w => w.First.StartsWith("--", StringComparison.Ordinal) && w.Second == n)) is { } twice)
        {
            throw new UsageException($"--{twice} is set for each trial; leave it out of what follows --.");
        }

        if (space.GroupBy(a => a.Name).FirstOrDefault(g => g.Count() > 1) is { } repeated)
        {
            throw new UsageException($"--search {repeated.Key} is given twice; list all its values in one.");
        }

        if (method == Method.Halving && space.Any(a => a.Name is Epochs or "max_steps"))
        {
            throw new UsageException($"--method halving sets {Epochs} of each round itself; leave it out of --search.");
        }

        if (repeats > 1 && space.Any(a => a.Name == "seed"))
        {
            throw new UsageException("--repeats sets the seed of each training; leave it out of --search.");
        }
    }

    /// <summary>The epochs that a training is asked for, and the other words.</summary>
    private static (double Epochs, string[] Others) TakeEpochs(string[] train)
    {
        var at = Array.FindIndex(train, w => w.TrimStart('-').Replace('-', '_').Split('=')[0] == Epochs && w.StartsWith("--", StringComparison.Ordinal));
        if (at < 0)
        {
            return (DefaultEpochs, train);
        }

        var joined = train[at].IndexOf('=', StringComparison.Ordinal);
        var text = joined >= 0 ? train[at][(joined + 1)..] : train.ElementAtOrDefault(at + 1);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var epochs) && epochs > 0
            ? (epochs, [.. train[..at], .. train[(at + (joined >= 0 ? 1 : 2))..]])
            : throw new UsageException($"--{Epochs} takes a number above 0, got '{text}'.");
    }

    private static IEnumerable<Trial> Repeated(IReadOnlyList<string> values, int setting, double? epochs, int repeats, long seed)
    {
        for (var i = 0; i < repeats; i++)
        {
            var name = Invariant($"trial-{setting + 1:000}") + (epochs is { } few ? Invariant($"-epochs-{few:0.###}") : "") + (repeats > 1 ? Invariant($"-seed-{seed + i}") : "");
            yield return new Trial(name, setting, values, epochs, repeats > 1 ? seed + i : null);
        }
    }

    private static async Task<IReadOnlyList<Trial>> HalveAsync(
        TuningJob job, IReadOnlyList<IReadOnlyList<string>> settings, double epochs, int repeats, long seed, CommandConsole console, CancellationToken cancellationToken)
    {
        IReadOnlyList<int> left = [.. Enumerable.Range(0, settings.Count)];
        IReadOnlyList<Trial> done = [];
        foreach (var (count, few) in TuningPlan.Rounds(settings.Count, epochs))
        {
            left = [.. done.Count == 0 ? left : Means(job, done).Select(t => t.Setting).Take(count)];
            console.Note(Invariant($"{Wording.Counted(left.Count, "setting")} with {few:0.###} epochs:"));
            done = await job.RunAsync([.. left.SelectMany(i => Repeated(settings[i], i, few, repeats, seed))], cancellationToken);
        }

        return done;
    }

    /// <summary>A row for each setting with the mean of its trainings, the best first; one of which a training failed has failed.</summary>
    private static IReadOnlyList<Trial> Means(TuningJob job, IEnumerable<Trial> trials) => [.. job.Ranked(trials.GroupBy(t => (t.Setting, t.Epochs)).Select(g => g.First() with
    {
        Result = g.Any(t => t.Result is null) ? null : g.Average(t => t.Result),
        Error = g.Select(t => t.Error).FirstOrDefault(e => e is not null),
        Seconds = g.Sum(t => t.Seconds),
    }))];

    private static int Finish(TuningJob job, IReadOnlyList<TuningArgument> space, IReadOnlyList<Trial> last, string metric, string folder, CommandConsole console)
    {
        var ranked = Means(job, last);
        AtomicFile.Write(Path.Combine(folder, "tune.csv"), string.Concat(job.Trials.Select(t => CsvLine.Of(
            [t.Name, .. t.Values, t.Epochs?.ToString("R", CultureInfo.InvariantCulture) ?? "", t.Seed?.ToString(CultureInfo.InvariantCulture) ?? "", t.Result?.ToString("R", CultureInfo.InvariantCulture) ?? "", t.Error ?? ""]) + "\n")
            .Prepend(CsvLine.Of(["name", .. space.Select(a => a.Name), "epochs", "seed", metric, "error"]) + "\n")));
        var measured = ranked.Where(t => t.Result is not null).ToList();
        if (measured.Count == 0)
        {
            throw new UsageException($"Every trial failed; the first one: {ranked[0].Error}");
        }

        console.WriteTable(["trial", .. space.Select(a => a.Name), metric, "seconds"], ranked.Take(Listed).Select(t => (IReadOnlyList<string>)
            [t.Name, .. t.Values, t.Result is { } result ? Invariant($"{result:0.####}") : "failed", Invariant($"{t.Seconds:0.0}")]));
        if (job.Trials.Count(t => t.Result is not null && t.Epochs == job.Trials[0].Epochs) > 1)
        {
            // Rounds of halving differ in their epochs; the first one has all settings.
            using var plot = TuningPlot.Draw(space, [.. job.Trials.Where(t => t.Result is not null && t.Epochs == job.Trials[0].Epochs)], metric);
            ImageCodec.SavePng(plot, Path.Combine(folder, "tune.png"));
        }

        var failed = ranked.Count - measured.Count;
        console.WriteLine($"Best: {job.Describe(measured[0])} ('{Path.Combine(folder, measured[0].Name)}'){(failed > 0 ? $"; {Wording.Counted(failed, "setting")} failed" : "")}. All trials are in '{Path.Combine(folder, "tune.csv")}'.");
        return 0;
    }
}
