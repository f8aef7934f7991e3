using TorchSharp;
using Vizsla.Native;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Data;
using static TorchSharp.torch;

namespace Vizsla.Training;

/// <summary>Where a run stands, beyond what Python's <c>trainer_state.json</c> says: what its next checkpoint holds, and what it takes over from the one it resumes.</summary>
internal sealed class RunProgress(TrainingSetup setup, CallbackList callbacks) : IDisposable
{
    private readonly TrainerContext _context = callbacks.Context;
    private readonly KeptCheckpoints _kept = new(callbacks);
    private byte[]? _generatorToRestore;

    /// <summary>Where in the epoch.</summary>
    public Position Position { get; set; } = Position.Start;

    /// <summary>Step from which this process trains.</summary>
    public int FirstStep { get; private set; }

    /// <summary>Norm of the gradients of the last step, a scalar; null where nothing is clipped.</summary>
    public Tensor? GradientNorm { get; private set; }

    /// <summary>Learning rate of the last step; null before the first one.</summary>
    public double? LearningRate { get; private set; }

    /// <summary>State of the generator before the batch that the resumed run had loaded ahead; null where there was none.</summary>
    public byte[]? GeneratorBeforePending { get; private set; }

    /// <summary>Takes over where a checkpoint stood.</summary>
    /// <param name="checkpoint">Path of the checkpoint.</param>
    /// <exception cref="TrainingException">It is of another run, or incomplete.</exception>
    public void Resume(string checkpoint)
    {
        var (state, control, arguments) = (_context.State, _context.Control, _context.Arguments);
        var from = setup.Checkpoint.Read(checkpoint, setup.Plan, setup.Processes.Rank);
        state.CopyFrom(from.State);
        _kept.ResumeFrom(Path.GetDirectoryName(Path.GetFullPath(checkpoint))!, from.Progress.ExtraSteps);
        Position = arguments.IgnoreDataSkip ? from.Progress.Position with { BatchesDone = 0 } : from.Progress.PositionIn(setup.Plan);
        FirstStep = state.GlobalStep;
        LearningRate = from.Progress.LearningRate;
        GradientNorm = from.Progress.GradientNorm is { } norm ? tensor((float)norm).DetachFromDisposeScope() : null;
        (control.ShouldEvaluate, control.ShouldSave) = (from.Progress.IsEvaluationDue, from.Progress.IsSaveDue);
        control.ShouldTrainingStop |= state.GlobalStep >= setup.Plan.MaxSteps;
        if (arguments.RestoreCallbackStatesFromCheckpoint)
        {
            callbacks.LoadState(state.StatefulCallbacks);
        }

        if (from.Generator is { } generator)
        {
            TorchGenerator.SetState(generator.State);
            GeneratorBeforePending = generator.BeforePending;
        }
    }

    /// <summary>Notes what a step was updated with.</summary>
    /// <param name="norm">Norm of its gradients, a scalar of a dispose scope; null where nothing is clipped.</param>
    /// <param name="rate">Its learning rate.</param>
    public void Take(Tensor? norm, double? rate)
    {
        GradientNorm?.Dispose();
        GradientNorm = norm?.DetachFromDisposeScope();
        LearningRate = rate;
    }

    /// <summary>Notes the generator before something that is repeated when the run is stopped in it: the draws of an epoch, an evaluation.</summary>
    public void Begin() => _generatorToRestore = TorchGenerator.GetState();

    /// <summary>What was under way is done, and is not repeated.</summary>
    public void Done() => _generatorToRestore = null;

    /// <summary>Saves a checkpoint of the current step.</summary>
    /// <exception cref="TrainingException">It cannot be written.</exception>
    public void Save() => Save(isEvaluationDue: false, isSaveDue: false);

    /// <summary>Saves a checkpoint of the current step unless it has one; what was under way is repeated when the run is resumed from it.</summary>
    /// <returns>Path of the checkpoint.</returns>
    /// <exception cref="TrainingException">It cannot be written.</exception>
    public string SaveToStop()
    {
        if (_generatorToRestore is { } state)
        {
            TorchGenerator.SetState(state);
        }

        if (_kept.LastSavedStep != _context.State.GlobalStep)
        {
            var control = _context.Control;
            var (isEvaluationDue, isSaveDue) = (control.ShouldEvaluate, control.ShouldSave);
            (control.ShouldEvaluate, control.ShouldSave) = (false, true);
            Save(isEvaluationDue, isSaveDue);
        }

        return _kept.PathOf(_context.State.GlobalStep);
    }

    /// <summary>Notes that the current step gets a checkpoint only because its evaluation was the best.</summary>
    public void AddExtra() => _kept.AddExtra(_context.State.GlobalStep);

    /// <summary>Puts the weights in place that the run is to end with: the best ones, or the average, or those of the last step.</summary>
    /// <exception cref="TrainingException">The best checkpoint is missing.</exception>
    public void SettleWeights() => setup.Processes.OnFirst(() => _kept.SettleWeights(setup.Checkpoint));

    public void Dispose() => GradientNorm?.Dispose();

    private void Save(bool isEvaluationDue, bool isSaveDue)
    {
        setup.Guard?.Require();
        var progress = new Progress(Position, (double?)GradientNorm?.item<float>(), LearningRate, _kept.ExtraSteps, isEvaluationDue, isSaveDue)
        {
            BatchSizeOfAll = setup.Plan.BatchSizeOfAll,
        };
        var generators = GeneratorFile.Gather(setup.Processes, new GeneratorFile(TorchGenerator.GetState(), setup.Data.StateBeforePending));
        _kept.Save(setup.Checkpoint, progress, generators, setup.Description, setup.Processes);
    }
}
