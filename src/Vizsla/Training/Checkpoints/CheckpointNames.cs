using System.Globalization;

namespace Vizsla.Training.Checkpoints;

/// <summary>Names in a run folder.</summary>
internal static class CheckpointNames
{
    public const string Prefix = "checkpoint-";
    public const string Optimizer = "optimizer.safetensors";
    public const string Scheduler = "scheduler.json";
    public const string Generator = "rng_state.safetensors";
    public const string Progress = "progress.json";
    public const string Average = "ema.safetensors";
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
