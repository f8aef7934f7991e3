namespace Vizsla.Training.Checkpoints;

/// <summary>A file in a run folder that asks its training to stop after the step that runs, with a checkpoint: for jobs that no signal reaches in time.</summary>
internal static class StopRequest
{
    public const string FileName = "stop";

    /// <summary>Whether the training in a folder is asked to stop.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>Asks the training in a folder to stop.</summary>
    public static void Write(string folder) => File.WriteAllText(Path.Combine(folder, FileName), "");

    /// <summary>Takes the wish back, as a run begins and when it was met.</summary>
    public static void Clear(string folder) => File.Delete(Path.Combine(folder, FileName));
}
