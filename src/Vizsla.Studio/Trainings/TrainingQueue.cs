using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Vizsla.Runs;
using Vizsla.Serving;
using Vizsla.Studio.Runs;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Studio.Trainings;

/// <summary>
/// Trainings one after the other, each in a process of its own. All that is known of them lies in <c>.queue</c> below the folder of runs, a folder each, so that nothing is lost when the studio ends:
/// the next one finds what runs, what waits and what ended meanwhile. Of several studios on one folder of runs one starts trainings; all show them.
/// </summary>
internal sealed class TrainingQueue(StudioOptions options, RunLibrary library, TimeProvider time) : BackgroundService
{
    private const int Conflict = 409;
    private const int KilledFrom = 128;
    private const int Killed = 9;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly QueueFolder? _folder = options.Runs is null ? null : new(options.Runs, time);
    private readonly Dictionary<string, Process> _processes = new(StringComparer.Ordinal);
    private RunLock? _mine;

    /// <summary>Why no training can be started here; null where one can.</summary>
    public string? Problem =>
        options.Training is null ? "This studio was not started by the command line, which is what trains."
        : options.Runs is null ? "Start the studio with the folder in which trainings write: vizsla studio --runs runs"
        : !options.Host.IsLoopback && string.IsNullOrEmpty(options.Host.Token) ? "A training is started only where the studio listens on this computer alone or asks for a token."
        : null;

    private QueueFolder Files => _folder!;

    /// <summary>Those that run, those that wait in their order, and those that ended, the last one first.</summary>
    public IReadOnlyList<QueuedTraining> List()
    {
        lock (_lock)
        {
            var all = Read();
            var position = 0;
            return
            [
                .. all.Where(t => t.State == QueueState.Running),
                .. all.Where(t => t.State == QueueState.Waiting).Select(t => t with { Position = ++position }),
                .. all.Where(t => t.IsEnded).Reverse(),
            ];
        }
    }

    /// <summary>Puts a training at the end of the queue.</summary>
    /// <param name="form">What it is.</param>
    /// <exception cref="RefusedException">Something of it is wrong, its run is there or waits already, or the folder cannot be written.</exception>
    public void Add(TrainingForm form) => Change(() =>
    {
        var run = form[TrainingForm.Run].Trim();
        if (form.Problems(options.Training!, Environment.CurrentDirectory) is { Count: > 0 } problems)
        {
            throw new RefusedException(Conflict, string.Join('\n', problems));
        }

        if (Directory.Exists(Path.Combine(options.Runs!, run)) || Read().Any(t => !t.IsEnded && t.Run == run))
        {
            throw new RefusedException(Conflict, $"There is already a run '{run}', or it waits. Choose another name.");
        }

        Files.Write(run, form.Words(options.Runs!), form);
    });

    /// <summary>Puts the rest of a training that ended before its time at the end of the queue.</summary>
    /// <param name="id">The training.</param>
    /// <exception cref="RefusedException">It holds no checkpoint, or waits or runs again already.</exception>
    public void GoOn(string id) => Change(() =>
    {
        var training = Require(id);
        if (!CanGoOn(training) || Read().Any(t => !t.IsEnded && t.Run == training.Run))
        {
            throw new RefusedException(Conflict, $"The run '{training.Run}' has no checkpoint to go on from, or is in the queue again already.");
        }

        Files.Write(training.Run, ["train", "--output", Path.Combine(options.Runs!, training.Run), "--resume_from_checkpoint", "true"], training.Form);
    });

    /// <summary>Whether a training that ended left a checkpoint.</summary>
    public bool CanGoOn(QueuedTraining training) =>
        training.State is QueueState.Stopped or QueueState.Failed or QueueState.Lost or QueueState.Canceled && Path.Combine(options.Runs!, training.Run) is var run
        && Directory.Exists(run) && Directory.EnumerateDirectories(run, "checkpoint-*").Any();

    /// <summary>Takes a training out of the queue; one that runs stops after its step with a checkpoint, or at once while it still reads its data.</summary>
    /// <param name="id">The training.</param>
    /// <exception cref="RefusedException">It has ended.</exception>
    public void Cancel(string id) => Change(() =>
    {
        var training = Require(id);
        if (training.IsEnded)
        {
            throw new RefusedException(Conflict, $"The training of '{training.Run}' has ended.");
        }

        var run = Path.Combine(options.Runs!, training.Run);
        if (training.State == QueueState.Running && library.Find(training.Run) is { State: RunState.Running } && File.Exists(Path.Combine(run, RunLock.FileName)) && RunLock.IsTaken(run))
        {
            StopRequest.Write(run);
            return;
        }

        Files.Mark(id, QueueFolder.CanceledFile);
        if (training.State == QueueState.Running)
        {
            Kill(id);
        }
    });

    /// <summary>Puts a training that was canceled while it waited back into its place.</summary>
    /// <param name="id">The training.</param>
    /// <exception cref="RefusedException">It was not canceled, or had begun.</exception>
    public void Restore(string id) => Change(() =>
    {
        if (Require(id) is not { State: QueueState.Canceled } training || Files.Has(id, QueueFolder.StartedFile))
        {
            throw new RefusedException(Conflict, "This training does not wait any more.");
        }

        if (Read().Any(t => !t.IsEnded && t.Run == training.Run))
        {
            throw new RefusedException(Conflict, $"Another training of '{training.Run}' is in the queue.");
        }

        File.Delete(Files.PathOf(id, QueueFolder.CanceledFile));
    });

    /// <summary>Takes what has ended off the list; runs stay.</summary>
    /// <returns>The trainings, for <see cref="ShowAgain"/>.</returns>
    public IReadOnlyList<string> Clear()
    {
        IReadOnlyList<string> cleared = [];
        Change(() =>
        {
            cleared = [.. Read().Where(t => t.IsEnded).Select(t => t.Id)];
            foreach (var id in cleared)
            {
                Files.Mark(id, QueueFolder.ClearedFile);
            }
        });
        return cleared;
    }

    /// <summary>Lists what was taken off again.</summary>
    /// <param name="ids">The trainings.</param>
    public void ShowAgain(IEnumerable<string> ids) => Change(() =>
    {
        foreach (var id in ids)
        {
            File.Delete(Files.PathOf(id, QueueFolder.ClearedFile));
        }
    });

    /// <summary>The last lines that a training wrote.</summary>
    /// <param name="id">The training.</param>
    /// <param name="count">How many.</param>
    public IReadOnlyList<string> Output(string id, int count)
    {
        lock (_lock)
        {
            return Files.Job(id) is null ? [] : Files.Tail(id, count);
        }
    }

    /// <summary>Starts the next training where none runs; called every second.</summary>
    public void Advance()
    {
        if (Problem is not null || !Files.Exists)
        {
            return;
        }

        lock (_lock)
        {
            var all = Read();
            if (all.Any(t => t.State == QueueState.Running) || all.FirstOrDefault(t => t.State == QueueState.Waiting) is not { } next || !IsMine())
            {
                return;
            }

            Start(Files.Job(next.Id)!);
            library.Forget();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _mine?.Dispose();
        foreach (var process in _processes.Values)
        {
            process.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        Sweep();
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                Advance();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The folder of runs is away for a moment: the next second tries again.
            }
        }
    }

    // What was taken off the list by an earlier studio.
    private void Sweep()
    {
        if (Problem is not null || !Files.Exists)
        {
            return;
        }

        Files.Sweep();
    }

    private bool IsMine()
    {
        try
        {
            _mine ??= RunLock.Take(Files.Root);
        }
        catch (TrainingException)
        {
            // Another studio starts what waits here.
        }

        return _mine is not null;
    }

    private void Start(QueuedJob job)
    {
        Files.Mark(job.Id, QueueFolder.StartedFile);
        var program = options.Training!.Words;
        var start = new ProcessStartInfo(program[0])
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = job.Directory,
        };
        foreach (var word in program.Skip(1).Concat(job.Words))
        {
            start.ArgumentList.Add(word);
        }

        start.Environment[TrainingProcess.Variable] = Path.GetFullPath(Path.Combine(Files.Root, job.Id));
        var process = new Process { StartInfo = start };
        // What native code says at its end; the rest is in the file.
        var last = "";
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => last = string.IsNullOrWhiteSpace(line.Data) ? last : line.Data;
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            File.WriteAllText(Files.PathOf(job.Id, TrainingProcess.EndFile), $"1\nThe process could not be started: {e.Message}.");
            process.Dispose();
            return;
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes[job.Id] = process;
        _ = WatchAsync(job.Id, process, () => last);
    }

    private async Task WatchAsync(string id, Process process, Func<string> last)
    {
        try
        {
            await process.WaitForExitAsync().ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // The studio ended before it; it goes on alone.
            return;
        }

        lock (_lock)
        {
            _processes.Remove(id);
            if (!Files.Has(id, TrainingProcess.EndFile))
            {
                var code = process.ExitCode;
                var reason = last() is { Length: > 0 } said ? said
                    : code == KilledFrom + Killed ? "The system ended it (signal 9), most likely for lack of memory."
                    : string.Create(CultureInfo.InvariantCulture, $"Its process ended with code {code} and did not say why.");
                File.WriteAllText(Files.PathOf(id, TrainingProcess.EndFile), string.Create(CultureInfo.InvariantCulture, $"{code}\n{reason}"));
            }
        }

        process.Dispose();
    }

    private void Kill(string id)
    {
        try
        {
            using var process = int.TryParse(Files.ReadText(id, TrainingProcess.NumberFile), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && RunLock.IsTaken(Path.Combine(Files.Root, id))
                ? Process.GetProcessById(number)
                : null;
            (process ?? _processes.GetValueOrDefault(id))?.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // It ended meanwhile.
        }
    }

    private List<QueuedTraining> Read() => _folder?.Read(_processes.ContainsKey) ?? [];

    private QueuedTraining Require(string id) =>
        Read().FirstOrDefault(t => t.Id == id) ?? throw new RefusedException(Conflict, "This training is no longer in the list.");

    private void Change(Action change)
    {
        if (Problem is { } problem)
        {
            throw new RefusedException(Conflict, problem);
        }

        lock (_lock)
        {
            try
            {
                change();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new RefusedException(Conflict, "The folder of runs cannot be written; nothing was changed.");
            }
        }
    }
}
