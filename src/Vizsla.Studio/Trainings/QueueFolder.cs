using System.Globalization;
using Vizsla.Hub.Cache;
using Vizsla.Primitives;
using Vizsla.Runs;
using Vizsla.Studio.Runs;

namespace Vizsla.Studio.Trainings;

/// <summary>The files of the queue: <c>.queue</c> below the folder of runs, a folder for each training, with its command, marks of what became of it, its output and its exit code.</summary>
internal sealed class QueueFolder(string runs, TimeProvider time)
{
    public const string StartedFile = "started";
    public const string CanceledFile = "canceled";
    public const string ClearedFile = "cleared";
    private const string JobFile = "job.json";

    // A process has its lock by then.
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, QueuedJob> _jobs = new(StringComparer.Ordinal);

    public string Root { get; } = Path.Combine(runs, ".queue");

    public bool Exists => Directory.Exists(Root);

    /// <summary>What a training was asked; null where it is not among those that were read.</summary>
    public QueuedJob? Job(string id) => _jobs.GetValueOrDefault(id);

    /// <summary>Removes what was taken off the list.</summary>
    public void Sweep()
    {
        foreach (var folder in Directory.EnumerateDirectories(Root).Where(f => File.Exists(Path.Combine(f, ClearedFile))))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The trainings in the order in which they came.</summary>
    /// <param name="isLive">Whether a training's process is known to run.</param>
    public List<QueuedTraining> Read(Func<string, bool> isLive)
    {
        if (!Exists)
        {
            return [];
        }

        var found = new List<QueuedTraining>();
        foreach (var folder in Directory.EnumerateDirectories(Root).Order(StringComparer.Ordinal))
        {
            var id = Path.GetFileName(folder);
            if (!_jobs.TryGetValue(id, out var job) && JsonFile.TryRead(Path.Combine(folder, JobFile)) is { } file && QueuedJob.From(id, file) is { } read)
            {
                _jobs[id] = job = read;
            }

            if (job is not null && !Has(id, ClearedFile))
            {
                var (state, reason) = StateOf(id, isLive(id));
                found.Add(new(id, job.Run, job.Words, job.Form, state, reason, 0));
            }
        }

        return found;
    }

    private (QueueState State, string? Reason) StateOf(string id, bool isLive)
    {
        if (!Has(id, StartedFile))
        {
            return (Has(id, CanceledFile) ? QueueState.Canceled : QueueState.Waiting, null);
        }

        if (isLive || RunsElsewhere(id))
        {
            return (QueueState.Running, null);
        }

        if (ReadText(id, TrainingProcess.EndFile)?.Split('\n', 2) is not [var code, ..] end)
        {
            return Has(id, CanceledFile)
                ? (QueueState.Canceled, "It was ended before its first step.")
                : (QueueState.Lost, "Its process is gone and did not say why: ended from outside, for lack of memory, or with the computer.");
        }

        return code.Trim() switch
        {
            "0" => (QueueState.Done, null),
            "130" => (QueueState.Stopped, "It stopped after a step, with a checkpoint."),
            _ when Has(id, CanceledFile) => (QueueState.Canceled, "It was ended before its first step."),
            _ => (QueueState.Failed, end is [_, { Length: > 0 } reason] ? reason : Tail(id, 1) is [var said] ? said : $"Its process ended with code {code.Trim()} and did not say why."),
        };
    }

    // A process that an earlier studio, or another one, started: it has the lock once its number is written.
    private bool RunsElsewhere(string id) =>
        !Has(id, TrainingProcess.EndFile)
        && (Has(id, TrainingProcess.NumberFile) ? RunLock.IsTaken(Path.Combine(Root, id)) : time.GetUtcNow() - File.GetLastWriteTimeUtc(PathOf(id, StartedFile)) < StartsWithin);

    /// <summary>The last lines that a training wrote.</summary>
    public IReadOnlyList<string> Tail(string id, int count)
    {
        const int Most = 16_384;
        try
        {
            using var file = new FileStream(PathOf(id, TrainingProcess.OutputFile), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(Most, file.Length), SeekOrigin.End);
            using var reader = new StreamReader(file);
            return [.. reader.ReadToEnd().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).TakeLast(count)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>Adds a training at the end.</summary>
    public void Write(string run, IReadOnlyList<string> words, TrainingForm? form)
    {
        Directory.CreateDirectory(Root);
        var number = Directory.EnumerateDirectories(Root).Select(f => int.TryParse(Path.GetFileName(f), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0).DefaultIfEmpty().Max() + 1;
        var id = number.ToString("00000", CultureInfo.InvariantCulture);
        Directory.CreateDirectory(Path.Combine(Root, id));
        AtomicFile.Write(PathOf(id, JobFile), PythonJson.Serialize(new QueuedJob(id, run, words, Environment.CurrentDirectory, form).ToJson(), indent: 2, sortKeys: false) + "\n");
    }

    public string PathOf(string id, string file) => Path.Combine(Root, id, file);

    public bool Has(string id, string file) => File.Exists(PathOf(id, file));

    public void Mark(string id, string file) => File.WriteAllText(PathOf(id, file), "");

    public string? ReadText(string id, string file)
    {
        try
        {
            return File.ReadAllText(PathOf(id, file));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
