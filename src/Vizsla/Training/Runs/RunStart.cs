using Microsoft.Extensions.Logging;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Training.Runs;

/// <summary>Decides whether a run begins anew or goes on, and clears the folder for it.</summary>
internal static partial class RunStart
{
    /// <summary>The checkpoint to go on from; null to begin anew.</summary>
    /// <param name="arguments">What was asked.</param>
    /// <param name="folder">The run folder, locked.</param>
    /// <param name="logger">Hears which.</param>
    /// <exception cref="TrainingException">The folder holds another run, or the checkpoint cannot be gone on from.</exception>
    public static string? Checkpoint(TrainingArguments arguments, RunFolder folder, ILogger logger)
    {
        folder.Checkpoints.Sweep();
        if (arguments.ResumeFromCheckpoint is { } asked)
        {
            if (CheckpointChecks.Find(asked, folder.Checkpoints) is { } checkpoint)
            {
                CheckpointChecks.RequireResumable(checkpoint);
                ResumingFrom(logger, checkpoint);
                return checkpoint;
            }

            if (folder.Checkpoints.Steps().Count == 0)
            {
                StartingAnew(logger, folder.Path);
                return null;
            }
        }

        if (arguments.OverwriteOutputDir)
        {
            folder.Clear();
        }
        else
        {
            folder.RequireFree();
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Resuming from '{Checkpoint}'.")]
    private static partial void ResumingFrom(ILogger logger, string checkpoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Folder}' holds no whole checkpoint to resume from: the run starts anew.")]
    private static partial void StartingAnew(ILogger logger, string folder);
}
