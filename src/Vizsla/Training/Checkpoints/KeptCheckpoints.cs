using Vizsla.Distributed;
using Vizsla.Training.Callbacks;

namespace Vizsla.Training.Checkpoints;

/// <summary>Saves the checkpoints of a training, and knows which of them stay and where the best one is.</summary>
internal sealed class KeptCheckpoints(CallbackList callbacks)
{
    private readonly CheckpointFolders _folders = new(callbacks.Context.OutputDir);
    private readonly List<int> _extraSteps = [];
    private CheckpointFolders? _resumedFolders;

    /// <summary>The last step that has a checkpoint; null where none was saved or resumed.</summary>
    public int? LastSavedStep { get; private set; }

    /// <summary>Steps whose checkpoint was saved only because their evaluation was the best.</summary>
    public IReadOnlyList<int> ExtraSteps => [.. _extraSteps];

    private TrainerState State => callbacks.Context.State;

    /// <summary>Path of the checkpoint of a step, there or not.</summary>
    public string PathOf(int step) => _folders.PathOf(step);

    /// <summary>Takes over what the resumed checkpoint knew, once its state is in place.</summary>
    /// <param name="folder">The folder that holds it.</param>
    /// <param name="extraSteps">What <see cref="ExtraSteps"/> was.</param>
    public void ResumeFrom(string folder, IEnumerable<int> extraSteps)
    {
        _resumedFolders = new CheckpointFolders(folder);
        _extraSteps.AddRange(extraSteps);
        LastSavedStep = State.GlobalStep;
    }

    /// <summary>Saves a checkpoint of the current step, tells the callbacks, and removes those beyond the limit.</summary>
    /// <param name="checkpoint">Writes it.</param>
    /// <param name="progress">Where the run stands.</param>
    /// <param name="generators">Where libtorch's generator stands, by rank.</param>
    /// <param name="description">What was asked.</param>
    /// <param name="processes">The processes of the run; the first one writes.</param>
    /// <exception cref="TrainingException">It cannot be written.</exception>
    public void Save(Checkpoint checkpoint, Progress progress, IReadOnlyList<GeneratorFile> generators, RunDescription description, ProcessGroup processes)
    {
        var context = callbacks.Context;
        State.BestModelCheckpoint = BestFolder(State.GlobalStep) ?? State.BestModelCheckpoint;
        State.StatefulCallbacks = callbacks.SaveState();
        var path = processes.OnFirst(() => _folders.Write(State.GlobalStep, folder => checkpoint.Write(folder, context.Arguments, State, progress, generators, description)))!;
        LastSavedStep = State.GlobalStep;
        context.Control.ShouldSave = false;
        callbacks.Tell(c => c.OnSave(context, path));
        processes.OnFirst(Rotate);
    }

    /// <summary>Puts the weights in place that the run is to end with: the best ones, or the average, or those of the last step.</summary>
    /// <param name="checkpoint">Reads them.</param>
    /// <exception cref="TrainingException">The best checkpoint is missing.</exception>
    public void SettleWeights(Checkpoint checkpoint)
    {
        if (callbacks.Context.Arguments.LoadBestModelAtEnd && State.BestGlobalStep is { } best && best != State.GlobalStep)
        {
            checkpoint.LoadWeights(BestFolder() ?? throw new TrainingException(
                $"The best checkpoint, '{CheckpointNames.Of(best)}', is neither in '{callbacks.Context.OutputDir}' nor beside the checkpoint that was resumed: restore it and resume again."));
        }
        else
        {
            checkpoint.Average?.Settle();
        }
    }

    /// <summary>Notes that a step gets a checkpoint only because its evaluation was the best.</summary>
    /// <param name="step">The step.</param>
    public void AddExtra(int step) => _extraSteps.Add(step);

    /// <summary>The checkpoint of the best evaluation: in the run folder, or beside the checkpoint that was resumed.</summary>
    /// <param name="coming">A step whose checkpoint is about to be written.</param>
    private string? BestFolder(int? coming = null)
    {
        if (State.BestGlobalStep is not { } best)
        {
            return null;
        }

        var here = _folders.PathOf(best);
        var there = _resumedFolders?.PathOf(best);
        return best == coming || Directory.Exists(here) ? here : Directory.Exists(there) ? there : null;
    }

    /// <summary>Removes checkpoints that were saved only as the best and no longer are, and those beyond the limit.</summary>
    private void Rotate()
    {
        var superseded = _extraSteps.Where(step => step != State.BestGlobalStep && Directory.Exists(_folders.PathOf(step))).ToList();
        superseded.ForEach(_folders.Remove);
        _extraSteps.RemoveAll(step => step != State.BestGlobalStep);
        foreach (var step in superseded.Concat(_folders.Rotate(callbacks.Context.Arguments.SaveTotalLimit, State.BestGlobalStep)))
        {
            callbacks.Tell(c => c.OnRemove(callbacks.Context, _folders.PathOf(step)));
        }
    }
}
