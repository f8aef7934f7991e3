using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Studio.Hosting;

namespace Vizsla.Studio.Runs;

/// <summary>Follows one run folder: <c>events.jsonl</c> as it grows, else the log of <c>trainer_state.json</c>, and the files beside them.</summary>
internal sealed class RunReader(string name, string folder, TimeProvider time)
{
    private const double LongestSeconds = 1e11;

    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(30);
    private static readonly DateTime s_absent = new(1700, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly string[] Files = ["events.jsonl", "trainer_state.json", "training_args.json", "all_results.json"];

    private readonly EventTail _tail = new(Path.Combine(folder, "events.jsonl"));
    private readonly Dictionary<string, (DateTime Written, JsonObject? Content)> _files = [];
    private RunEvents _events = new();
    private RunSnapshot? _last;
    private RunSnapshot? _summary;
    private DateTime[] _stamp = [];
    private long _asked;

    /// <summary>Full path of the run.</summary>
    public string Folder => folder;

    /// <summary>Whether it was read before.</summary>
    public bool IsKnown => _summary is not null;

    /// <summary>When a file was last added to the folder or taken out.</summary>
    public DateTime Touched => Directory.GetLastWriteTimeUtc(folder);

    /// <summary>The run as it stands; null when its folder is gone.</summary>
    public RunSnapshot? Read()
    {
        _asked = time.GetTimestamp();
        return ReadWhole();
    }

    /// <summary>The run as it stands, without the rows of one that has ended: of a thousand runs only those that are asked for are kept whole.</summary>
    public RunSnapshot? ReadSummary()
    {
        if (_summary is { State: not RunState.Running } known && _stamp.SequenceEqual(Stamp()))
        {
            if (_last is not null && time.GetElapsedTime(_asked) > KeptFor)
            {
                Release();
            }

            return known;
        }

        var run = ReadWhole();
        if (run is not null && run.State != RunState.Running && time.GetElapsedTime(_asked) > KeptFor)
        {
            Release();
        }

        return run is null ? null : _summary;
    }

    // What it held is read again from the beginning when it is asked for.
    private void Release()
    {
        if (_stamp.Length > 0)
        {
            (_last, _events) = (null, new());
            _files.Clear();
            _tail.Rewind();
        }
    }

    private RunSnapshot? ReadWhole()
    {
        var stamp = Stamp();
        if (_last is { State: not RunState.Running } last && _stamp.SequenceEqual(stamp))
        {
            return last;
        }

        try
        {
            _last = ReadAnew();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder went while it was read.
            return Directory.Exists(folder) ? _last : null;
        }

        // A folder of the Python Trainer grows inside its checkpoints.
        _stamp = _events.Any || stamp[1] > s_absent ? stamp : [];
        _summary = _last with { Rows = _last.State == RunState.Running ? _last.Rows : [] };
        return _last;
    }

    private DateTime[] Stamp() => [.. Files.Append(RunNotes.FileName).Select(file => File.GetLastWriteTimeUtc(Path.Combine(folder, file))), Directory.GetLastWriteTimeUtc(folder)];

    private RunSnapshot ReadAnew()
    {
        var restarted = false;
        var lines = IsInside("events.jsonl") ? _tail.Read(out restarted) : [];
        if (restarted)
        {
            _events = new();
        }

        foreach (var line in lines)
        {
            if (TryParse(line) is { } happened)
            {
                _events.Add(happened);
            }
        }

        var state = ReadFile("trainer_state.json") ?? NewestCheckpointState();
        var results = ReadFile("all_results.json") ?? [];
        var updated = LastWrite();
        var rows = _events.Rows.Count > 0 ? _events.Rows : RunEvents.RowsOf(state);
        var (best, bestName, bestStep) = Best(state, rows);
        var arguments = ArgumentsOf(ReadFile("training_args.json"));
        var standing = StateOf(state, updated);
        return new RunSnapshot
        {
            Name = name,
            Folder = folder,
            State = standing,
            Reason = _events.Reason,
            Step = Math.Max(_events.Step, (JsonFile.Step(state?["global_step"]) ?? (rows.Count > 0 ? rows[^1].Step : 0))),
            StepCount = Math.Max(_events.StepCount, (JsonFile.Step(state?["max_steps"]) ?? 0)),
            Epoch = Math.Max(_events.Epoch, JsonFile.Number(state?["epoch"]) ?? 0),
            BestName = bestName,
            BestValue = best,
            BestStep = bestStep,
            Started = _events.Started ?? updated,
            TimeLeft = standing == RunState.Running ? _events.TimeLeft(time.GetUtcNow()) : null,
            Duration = _events.Duration(standing == RunState.Running ? time.GetUtcNow() : null)
                ?? (JsonFile.Number(results["train_runtime"]) is { } seconds and >= 0 and < LongestSeconds ? TimeSpan.FromSeconds(seconds) : null),
            Updated = updated,
            Rows = rows,
            Pushes = _events.Pushes,
            Arguments = arguments,
            Results = results,
            Notes = RunNotes.From(ReadFile(RunNotes.FileName)),
            HasModel = File.Exists(Path.Combine(folder, "config.json")),
        };
    }

    private RunState StateOf(JsonObject? state, DateTimeOffset updated)
    {
        if (_events.End is { } end)
        {
            return end;
        }

        if (!_events.Any && state is not null)
        {
            // A folder of the Python Trainer: it is done when the state says so.
            return JsonFile.Number(state["global_step"]) >= JsonFile.Number(state["max_steps"]) ? RunState.Done : Quiet();
        }

        return Quiet();

        RunState Quiet() => time.GetUtcNow() - updated < Silence ? RunState.Running : RunState.Stopped;
    }

    private (double? Value, string? Name, int? Step) Best(JsonObject? state, IReadOnlyList<LogRow> rows)
    {
        var asked = ReadFile("training_args.json") is { } arguments ? Argument(arguments, "metric_for_best_model") : null;
        var wanted = asked is { } m ? (m.StartsWith("eval_", StringComparison.Ordinal) ? m : "eval_" + m) : null;
        var metric = new[] { wanted, "eval_accuracy", "eval_loss" }
            .FirstOrDefault(candidate => candidate is not null && rows.Any(r => r[candidate] is not null));
        if (metric is null)
        {
            return (JsonFile.Number(state?["best_metric"]), wanted, JsonFile.Step(state?["best_global_step"]));
        }

        var evaluated = rows.Where(r => r[metric] is not null);
        var best = RunEvents.SmallerIsBetter(metric) ? evaluated.MinBy(r => r[metric]) : evaluated.MaxBy(r => r[metric]);
        return (best?[metric], metric, best?.Step);
    }

    private static string? Argument(JsonObject arguments, string key) =>
        (arguments[key] ?? (arguments["arguments"] as JsonObject)?[key]) is JsonValue value && value.GetValueKind() == JsonValueKind.String
            ? value.GetValue<string>()
            : null;

    private static Dictionary<string, string> ArgumentsOf(JsonObject? file)
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        Flatten(file, "");
        return flat;

        void Flatten(JsonObject? map, string prefix)
        {
            foreach (var (key, value) in map ?? [])
            {
                if (value is JsonObject inner)
                {
                    Flatten(inner, key == "arguments" ? "" : $"{prefix}{key}.");
                }
                else
                {
                    flat[prefix + key] = JsonFile.Text(value);
                }
            }
        }
    }

    private JsonObject? NewestCheckpointState() =>
        Directory.EnumerateDirectories(folder, "checkpoint-*")
            .Select(path => (Path: path, Step: int.TryParse(path[(path.LastIndexOf('-') + 1)..], out var step) ? step : -1))
            .Where(checkpoint => checkpoint.Step >= 0)
            .OrderByDescending(checkpoint => checkpoint.Step)
            .Select(checkpoint => ReadFile(Path.Combine(Path.GetFileName(checkpoint.Path), "trainer_state.json")))
            .FirstOrDefault();

    private JsonObject? ReadFile(string file)
    {
        var path = Path.Combine(folder, file);
        var written = File.GetLastWriteTimeUtc(path);
        if (!_files.TryGetValue(file, out var known) || known.Written != written || (known.Content is null && written > s_absent))
        {
            _files[file] = known = (written, IsInside(file) ? JsonFile.TryRead(path) : null);
        }

        return known.Content;
    }

    // A link may lead out of the folder: what lies there was not given to the server.
    private bool IsInside(string file) => FolderGuard.Resolve(folder, file) is not null;

    private DateTimeOffset LastWrite() =>
        Files
            .Select(file => Path.Combine(folder, file))
            .Where(File.Exists)
            .Select(path => new DateTimeOffset(File.GetLastWriteTimeUtc(path)))
            .DefaultIfEmpty()
            .Max();

    // A line cut by a crash in the middle of the file: the others still count.
    private static JsonObject? TryParse(string line) => JsonFile.Parse(line) as JsonObject;
}

/// <summary>Reads the lines appended to a growing file since the last read.</summary>
internal sealed class EventTail(string path)
{
    private long _position;

    /// <summary>The next read begins at the beginning.</summary>
    public void Rewind() => _position = 0;

    /// <summary>The whole lines added since; a line still being written is left for the next look.</summary>
    /// <param name="restarted">True when the file got shorter: what was read before is void.</param>
    public IReadOnlyList<string> Read(out bool restarted)
    {
        restarted = false;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length < _position)
            {
                restarted = true;
                _position = 0;
            }

            var added = new byte[checked((int)(file.Length - _position))];
            file.Position = _position;
            var read = file.ReadAtLeast(added, added.Length, throwOnEndOfStream: false);
            var end = Array.LastIndexOf(added, (byte)'\n', read - 1, read);
            if (end < 0)
            {
                return [];
            }

            _position += end + 1;
            return Encoding.UTF8.GetString(added, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Absent, or being replaced: the next look may find it.
            return [];
        }
    }
}
