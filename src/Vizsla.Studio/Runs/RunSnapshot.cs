using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Vizsla.Studio.Runs;

/// <summary>A run as it was when last read.</summary>
public sealed record RunSnapshot
{
    /// <summary>Path below the folder of runs, with '/'; the folder's own name when it is itself a run.</summary>
    public required string Name { get; init; }

    /// <summary>Full path on this computer; never shown.</summary>
    public required string Folder { get; init; }

    /// <summary>How it stands.</summary>
    public required RunState State { get; init; }

    /// <summary>Why it stopped or failed, if something says.</summary>
    public string? Reason { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; init; }

    /// <summary>Optimizer steps of the whole run; 0 when nothing says.</summary>
    public int StepCount { get; init; }

    /// <summary>Epochs done, with the fraction of the one that runs.</summary>
    public double Epoch { get; init; }

    /// <summary>The metric by which the best checkpoint is chosen, such as <c>eval_accuracy</c>.</summary>
    public string? BestName { get; init; }

    /// <summary>Its best value.</summary>
    public double? BestValue { get; init; }

    /// <summary>The step that gave it.</summary>
    public int? BestStep { get; init; }

    /// <summary>How long it has been going, or took.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>When it began; when it was last written if nothing says.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>How long the rest takes at its pace; null when it does not run or nothing says.</summary>
    public TimeSpan? TimeLeft { get; init; }

    /// <summary>What people wrote about it.</summary>
    public RunNotes Notes { get; init; } = RunNotes.None;

    /// <summary>When something was last written.</summary>
    public DateTimeOffset Updated { get; init; }

    /// <summary>Training losses, rates and evaluations.</summary>
    public IReadOnlyList<LogRow> Rows { get; init; } = [];

    /// <summary>What became of the pushes to a Hub, in their order.</summary>
    public IReadOnlyList<RunPush> Pushes { get; init; } = [];

    /// <summary>What was asked for, by Hugging Face's names; empty when nothing says.</summary>
    public IReadOnlyDictionary<string, string> Arguments { get; init; } = new Dictionary<string, string>();

    /// <summary>The numbers at the end: <c>all_results.json</c>.</summary>
    public JsonObject Results { get; init; } = [];

    /// <summary>Whether the folder holds a model that can be asked.</summary>
    public bool HasModel { get; init; }

    /// <summary>The model that the training began with, without its path; null when nothing says.</summary>
    public string? Model => LastPart("job.model", "model_name_or_path", "model.class", "model.model_type");

    /// <summary>The data set, without its path; null when nothing says.</summary>
    public string? Dataset => LastPart("dataset", "dataset_name", "dataset_dir", "train_dir");

    /// <summary>The metric of the test split that counts, and its value; null when it was not evaluated.</summary>
    public (string Name, double Value)? Test
    {
        get
        {
            var metrics = Results.Select(r => r.Key).Where(k => k.StartsWith("test_", StringComparison.Ordinal)).ToList();
            var wanted = BestName is { } best ? "test_" + (best.StartsWith("eval_", StringComparison.Ordinal) ? best["eval_".Length..] : best) : "";
            var name = new[] { wanted, "test_accuracy", "test_loss" }.FirstOrDefault(metrics.Contains);
            return name is not null && JsonFile.Number(Results[name]) is { } value ? (name, value) : null;
        }
    }

    /// <summary>From 0 to 1; null when the number of steps is not known.</summary>
    public double? Progress => StepCount > 0 ? Math.Min(1, (double)Step / StepCount) : null;

    private string? LastPart(params string[] keys) =>
        keys.Select(key => Arguments.GetValueOrDefault(key)).FirstOrDefault(value => !string.IsNullOrEmpty(value) && value != "null") is { } named
            ? named.TrimEnd('/', '\\') is var trimmed ? trimmed[(trimmed.LastIndexOfAny(['/', '\\']) + 1)..] : null
            : null;
}

/// <summary>State of a run.</summary>
public enum RunState
{
    /// <summary>Something was written recently, and no end was recorded.</summary>
    Running,

    /// <summary>It reached its end.</summary>
    Done,

    /// <summary>It was interrupted, or nothing was written for a while.</summary>
    Stopped,

    /// <summary>It ended with an error.</summary>
    Failed,
}

/// <summary>One row of a run's log: numbers at a step.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Epoch">Epochs done, with the fraction of the one that runs; null when the row does not say.</param>
/// <param name="Seconds">Seconds since the run began; null when nothing says.</param>
/// <param name="Values">Numbers by Hugging Face's names: <c>loss</c>, <c>eval_loss</c>, <c>learning_rate</c>, <c>grad_norm</c>.</param>
public sealed record LogRow(int Step, double? Epoch, double? Seconds, IReadOnlyDictionary<string, double> Values)
{
    /// <summary>The number of that name, or null.</summary>
    public double? this[string name] => Values.TryGetValue(name, out var value) ? value : null;
}

/// <summary>The result of one push to a Hub during training.</summary>
/// <param name="Step">The step that was pushed.</param>
/// <param name="Time">When it ended; null when nothing says.</param>
/// <param name="Title">The commit's title.</param>
/// <param name="Outcome"><c>pushed</c>, <c>failed</c> or <c>left out</c>.</param>
/// <param name="Repository">The repository; null when nothing says.</param>
/// <param name="Commit">The commit; null where none was made.</param>
/// <param name="Problem">Why it failed.</param>
public sealed record RunPush(int Step, DateTimeOffset? Time, string Title, string Outcome, string? Repository, string? Commit, string? Problem)
{
    /// <summary>The outcome of a push that reached the Hub.</summary>
    public const string Pushed = "pushed";

    /// <summary>The outcome of a push that did not.</summary>
    public const string Failed = "failed";

    /// <summary>The outcome of a save during the push before.</summary>
    public const string LeftOut = "left out";

    /// <summary>Why nothing came of it, in a sentence; null where it reached the Hub.</summary>
    public string? Reason => Outcome == LeftOut ? "The previous push was still in progress." : Problem;
}

/// <summary>Whether two snapshots of a run render the same.</summary>
internal sealed class SameLook : IEqualityComparer<RunSnapshot>
{
    public static SameLook Instance { get; } = new();

    public bool Equals(RunSnapshot? x, RunSnapshot? y) => x is not null && y is not null && Key(x) == Key(y);

    public int GetHashCode([DisallowNull] RunSnapshot obj) => Key(obj).GetHashCode();

    // Seconds of a running duration count: a reader sees that it lives.
    private static (string, RunState, int, int, DateTimeOffset, long, RunNotes) Key(RunSnapshot run) =>
        (run.Name, run.State, run.Step, run.Rows.Count, run.Updated, (long)(run.Duration?.TotalSeconds ?? 0), run.Notes);
}
