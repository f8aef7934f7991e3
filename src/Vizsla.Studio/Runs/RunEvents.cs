using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vizsla.Studio.Runs;

/// <summary>The state of a run, accumulated from its events.</summary>
internal sealed class RunEvents
{
    private static readonly string[] NotValues = ["step", "epoch", "time", "event"];

    // The end of the year 9999, where calendars end.
    private const double LastSecond = 253402300799;

    private readonly List<LogRow> _rows = [];
    private readonly List<RunPush> _pushes = [];
    private DateTimeOffset? _first;
    private DateTimeOffset? _last;
    private (DateTimeOffset? Time, int Step) _begin;

    /// <summary>When the first thing happened; null when nothing says.</summary>
    public DateTimeOffset? Started => _first;

    /// <summary>Rows so far, in order of steps.</summary>
    public IReadOnlyList<LogRow> Rows => [.. _rows];

    /// <summary>What became of the pushes to a Hub, in their order.</summary>
    public IReadOnlyList<RunPush> Pushes => [.. _pushes];

    /// <summary>Whether anything has happened.</summary>
    public bool Any { get; private set; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; private set; }

    /// <summary>Optimizer steps of the whole run; 0 until known.</summary>
    public int StepCount { get; private set; }

    /// <summary>Epochs done.</summary>
    public double Epoch { get; private set; }

    /// <summary>How it ended; null while it goes on.</summary>
    public RunState? End { get; private set; }

    /// <summary>Why it stopped or failed.</summary>
    public string? Reason { get; private set; }

    /// <summary>Whether the best value of a metric is its smallest.</summary>
    public static bool SmallerIsBetter(string metric) =>
        metric.Contains("loss", StringComparison.Ordinal) || metric.Contains("error", StringComparison.Ordinal);

    /// <summary>The rows of a <c>trainer_state.json</c>.</summary>
    public static IReadOnlyList<LogRow> RowsOf(JsonObject? state) =>
        state?["log_history"] is JsonArray history ? [.. history.OfType<JsonObject>().Select(row => RowOf(row, null))] : [];

    /// <summary>Applies one event.</summary>
    public void Add(JsonObject happened)
    {
        Any = true;
        var moment = TimeOf(happened["time"]);
        _first ??= moment;
        _last = moment ?? _last;
        Step = Math.Max(Step, (JsonFile.Step(happened["step"]) ?? 0));
        Epoch = Math.Max(Epoch, JsonFile.Number(happened["epoch"]) ?? 0);
        StepCount = (JsonFile.Step(happened["max_steps"]) ?? StepCount);
        switch (JsonFile.Text(happened["event"]))
        {
            case "train_begin":
                // A resumed run goes on in the same file: rows beyond its checkpoint will come again.
                _rows.RemoveAll(r => r.Step > (JsonFile.Number(happened["step"]) ?? 0));
                _begin = (moment, JsonFile.Step(happened["step"]) ?? 0);
                (End, Reason) = (null, null);
                break;
            case "train_end":
                End = RunState.Done;
                break;
            case "stopped":
                (End, Reason) = (RunState.Stopped, ReasonOf(happened));
                break;
            case "failed":
                (End, Reason) = (RunState.Failed, ReasonOf(happened));
                break;
            case "log" or "evaluate":
                _rows.Add(RowOf(happened["values"] as JsonObject ?? happened, moment - _first, Step));
                break;
            case "push":
                _pushes.Add(PushOf(happened, moment, RunPush.Pushed));
                break;
            case "push_failed":
                _pushes.Add(PushOf(happened, moment, RunPush.Failed));
                break;
            case "push_skipped":
                _pushes.Add(PushOf(happened, moment, RunPush.LeftOut));
                break;
        }
    }

    /// <summary>From the first event to the last, or to now while the run goes on.</summary>
    public TimeSpan? Duration(DateTimeOffset? now) => (now ?? _last) - _first;

    /// <summary>How long the rest takes at the pace since the training began or was resumed; null when nothing says.</summary>
    public TimeSpan? TimeLeft(DateTimeOffset now)
    {
        if (StepCount <= Step || Step <= _begin.Step || _last - _begin.Time is not { } taken || taken <= TimeSpan.Zero)
        {
            return null;
        }

        var left = (taken / (Step - _begin.Step) * (StepCount - Step)) - (now - _last!.Value);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private static LogRow RowOf(JsonObject row, TimeSpan? since, int step = 0)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (key, value) in row)
        {
            if (!NotValues.Contains(key) && JsonFile.Number(value) is { } number)
            {
                values[key] = number;
            }
        }

        return new((JsonFile.Step(row["step"]) ?? step), JsonFile.Number(row["epoch"]), since?.TotalSeconds, values);
    }

    private static RunPush PushOf(JsonObject happened, DateTimeOffset? moment, string outcome) => new(
        (JsonFile.Step(happened["step"]) ?? 0), moment, TextOf(happened["message"]) ?? "–", outcome,
        TextOf(happened["repo"]), TextOf(happened["commit"]), TextOf(happened["error"]));

    private static string? ReasonOf(JsonObject happened) => TextOf(happened["reason"] ?? happened["message"]);

    private static string? TextOf(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static DateTimeOffset? TimeOf(JsonNode? node)
    {
        if (JsonFile.Number(node) is { } seconds)
        {
            return seconds is >= 0 and <= LastSecond ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;
        }

        return node is JsonValue value && value.GetValueKind() == JsonValueKind.String
            && DateTimeOffset.TryParse(value.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : null;
    }
}
