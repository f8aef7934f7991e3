using System.Text.Json.Nodes;

namespace Vizsla.Training.Checkpoints;

/// <summary>Which checkpoints of a training stay, and where its best one is.</summary>
internal sealed class KeptCheckpoints(SessionParts parts)
{
    private readonly List<int> _extraSteps = [];
    private CheckpointFolders? _resumedFolders;

    /// <summary>Steps whose checkpoint was saved only because their evaluation was the best.</summary>
    public IReadOnlyList<int> ExtraSteps => [.. _extraSteps];

    private TrainerState State => parts.Context.State;

    /// <summary>Goes on with what a checkpoint knew.</summary>
    /// <param name="folder">The folder that holds it.</param>
    /// <param name="extraSteps">What <see cref="ExtraSteps"/> was.</param>
    public void ResumeFrom(string folder, IEnumerable<int> extraSteps)
    {
        _resumedFolders = new CheckpointFolders(folder);
        _extraSteps.AddRange(extraSteps);
    }

    /// <summary>Notes that a step gets a checkpoint only because its evaluation was the best.</summary>
    /// <param name="step">The step.</param>
    public void AddExtra(int step) => _extraSteps.Add(step);

    /// <summary>The checkpoint of the best evaluation: in the run folder, or beside the checkpoint that was resumed.</summary>
    /// <param name="coming">A step whose checkpoint is about to be written.</param>
    public string? BestFolder(int? coming = null)
    {
        if (State.BestGlobalStep is not { } best)
        {
            return null;
        }

        var here = parts.Folder.Checkpoints.PathOf(best);
        var there = _resumedFolders?.PathOf(best);
        return best == coming || Directory.Exists(here) ? here : Directory.Exists(there) ? there : null;
    }

    /// <summary>As <see cref="BestFolder"/>, where there must be one.</summary>
    /// <exception cref="TrainingException">It is gone.</exception>
    public string RequireBest() => BestFolder() ?? throw new TrainingException(
        $"The best checkpoint, '{CheckpointNames.Of(State.BestGlobalStep!.Value)}', is neither in '{parts.Folder.Path}' nor beside the checkpoint that was resumed: bring it back and resume once more.");

    /// <summary>Removes checkpoints that were saved only as the best and no longer are, and those beyond the limit.</summary>
    public void Rotate()
    {
        var folders = parts.Folder.Checkpoints;
        var superseded = _extraSteps.Where(step => step != State.BestGlobalStep && Directory.Exists(folders.PathOf(step))).ToList();
        superseded.ForEach(folders.Remove);
        _extraSteps.RemoveAll(step => step != State.BestGlobalStep);
        foreach (var step in superseded.Concat(folders.Rotate(parts.Arguments.SaveTotalLimit, State.BestGlobalStep)))
        {
            parts.Events.Write("remove", new JsonObject { ["step"] = State.GlobalStep, ["checkpoint"] = CheckpointNames.Of(step) });
        }
    }
}
