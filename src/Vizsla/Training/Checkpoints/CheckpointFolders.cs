using System.Globalization;
using Vizsla.Native;
using Vizsla.Training.Optimizers;

namespace Vizsla.Training.Checkpoints;

/// <summary>The checkpoints of a run folder: written whole or not at all, and cleared away when there are too many.</summary>
/// <param name="root">The run folder.</param>
internal sealed class CheckpointFolders(string root)
{
    private const string New = "new";
    private const string Old = "old";
    private const string Replaced = "was";

    /// <summary>Path of the checkpoint of a step, there or not.</summary>
    public string PathOf(int step) => Path.Combine(root, CheckpointNames.Of(step));

    /// <summary>Steps that have a checkpoint, ascending.</summary>
    public IReadOnlyList<int> Steps() => Directory.Exists(root)
        ? [.. Directory.EnumerateDirectories(root, CheckpointNames.Prefix + "*").Select(CheckpointNames.StepOf).OfType<int>().Order()]
        : [];

    /// <summary>Writes a checkpoint aside, flushes it, and puts it in place; what stood there before goes only then.</summary>
    /// <param name="step">Its step.</param>
    /// <param name="write">Writes the files into the folder that it is given.</param>
    /// <returns>Path of the checkpoint.</returns>
    public string Write(int step, Action<string> write)
    {
        var aside = Path.Combine(root, CheckpointNames.Temporary(step, New));
        Discard(aside);
        try
        {
            Directory.CreateDirectory(aside);
            write(aside);
            CheckpointManifest.Write(aside);
            DurableFile.FlushFolder(aside);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Discard(aside);
            throw new TrainingException(Sentence(step, e), e) { Step = step };
        }
        catch
        {
            Discard(aside);
            throw;
        }

        var (place, before) = (PathOf(step), Path.Combine(root, CheckpointNames.Temporary(step, Replaced)));
        if (Directory.Exists(place))
        {
            Discard(before);
            Directory.Move(place, before);
        }

        Directory.Move(aside, place);
        DirectorySync.Flush(root);
        Discard(before);
        return place;
    }

    /// <summary>Takes a checkpoint away; half-way through it is no longer taken for one.</summary>
    /// <param name="step">Its step.</param>
    public void Remove(int step)
    {
        var aside = Path.Combine(root, CheckpointNames.Temporary(step, Old));
        Discard(aside);
        Directory.Move(PathOf(step), aside);
        DirectorySync.Flush(root);
        Discard(aside);
    }

    /// <summary>Clears away what an interrupted run was writing or removing, and ends the replacing of a checkpoint that it had begun.</summary>
    public void Sweep()
    {
        if (Directory.Exists(root))
        {
            foreach (var before in Directory.GetDirectories(root, CheckpointNames.TemporaryOf(Replaced)))
            {
                // The old one makes room only for one that is whole.
                if (CheckpointNames.StepOfTemporary(before) is { } step && !Directory.Exists(PathOf(step)))
                {
                    var whole = Path.Combine(root, CheckpointNames.Temporary(step, New));
                    Directory.Move(Directory.Exists(whole) ? whole : before, PathOf(step));
                }
            }

            foreach (var folder in Directory.EnumerateDirectories(root, CheckpointNames.TemporaryPattern))
            {
                Discard(folder);
            }

            // Files that were being written aside.
            foreach (var file in Directory.EnumerateFiles(root, ".*.tmp", SearchOption.AllDirectories))
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>Removes the oldest checkpoints beyond a limit, never the best one and never the last one.</summary>
    /// <param name="limit">Checkpoints to keep; null keeps all.</param>
    /// <param name="best">Step of the best one; null for none.</param>
    /// <returns>Steps whose checkpoints went.</returns>
    /// <remarks>Source: <c>Trainer._rotate_checkpoints</c> of transformers: with a limit of 1 and a best one that is not the last, two stay.</remarks>
    public IReadOnlyList<int> Rotate(int? limit, int? best)
    {
        var steps = Steps();
        var kept = limit is 1 && best is { } b && steps.Count > 0 && b != steps[^1] && steps.Contains(b) ? 2 : limit;
        if (kept is not { } count || steps.Count <= count)
        {
            return [];
        }

        var removed = steps.Where(step => step != best && step != steps[^1]).Take(steps.Count - count).ToList();
        removed.ForEach(Remove);
        return removed;
    }

    private string Sentence(int step, Exception e) =>
        $"The checkpoint of step {step} cannot be written: {e.Message.TrimEnd('.')}. "
        + (Steps() is [.., var last] ? $"'{PathOf(last)}' is whole: fix this and resume with resume_from_checkpoint." : "There is none yet to resume from.");

    private static void Discard(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <summary>Names in a run folder.</summary>
internal static class CheckpointNames
{
    public const string Prefix = "checkpoint-";
    public const string Optimizer = "optimizer.safetensors";
    public const string Scheduler = "scheduler.json";
    public const string Generator = "rng_state.safetensors";
    public const string Progress = "progress.json";
    public const string Average = "ema.safetensors";
    public const string Epochs = "swa.safetensors";
    public const string Arguments = "training_args.json";
    public const string Weights = "model.safetensors";
    public const string Manifest = "checkpoint.json";

    /// <summary>What is being written or taken away; never taken for a checkpoint, and swept up when a run begins.</summary>
    public const string TemporaryPattern = ".checkpoint-*.tmp";

    public static string Of(int step) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step}");

    public static string Temporary(int step, string purpose) => $".{Of(step)}.{purpose}.tmp";

    /// <summary>Pattern of the temporary folders of one purpose.</summary>
    public static string TemporaryOf(string purpose) => $".{Prefix}*.{purpose}.tmp";

    /// <summary>The step that a temporary folder belongs to; null for another folder.</summary>
    public static int? StepOfTemporary(string folder) =>
        Path.GetFileName(folder).Split('.') is ["", var name, _, "tmp"] ? StepOf(name) : null;

    /// <summary>The step of a checkpoint folder; null for another folder.</summary>
    public static int? StepOf(string folder)
    {
        var name = Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar));
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;
    }
}
