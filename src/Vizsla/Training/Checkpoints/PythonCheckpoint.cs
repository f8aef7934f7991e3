using Vizsla.Adapters;
using Vizsla.Models;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.PythonState;

namespace Vizsla.Training.Checkpoints;

/// <summary>Resumes a checkpoint of the Hugging Face Trainer; no pickle is executed.</summary>
/// <remarks>
/// Source: <c>Trainer._load_optimizer_and_scheduler</c>, <c>_load_rng_state</c> of transformers. What Python forgets at a checkpoint (losses since the last row) is forgotten here too.
/// </remarks>
internal static class PythonCheckpoint
{
    /// <summary>Whether a folder is a checkpoint of Python's rather than of ours.</summary>
    public static bool Is(string folder) =>
        !File.Exists(Path.Combine(folder, CheckpointNames.Progress)) && File.Exists(Path.Combine(folder, PythonOptimizer.FileName));

    /// <summary>What is missing to resume, as half a sentence; null where nothing is.</summary>
    public static string? Problem(string folder) =>
        new[] { PythonScheduler.FileName, TrainerState.FileName }.FirstOrDefault(name => !File.Exists(Path.Combine(folder, name))) is { } missing ? $"it lacks '{missing}'" : null;

    /// <summary>Reads weights, optimizer, schedule, state and generator.</summary>
    /// <param name="folder">A whole checkpoint.</param>
    /// <param name="into">What takes them.</param>
    /// <param name="plan">The steps of this run, which must be those of the other.</param>
    /// <exception cref="TrainingException">It is of another model, or of a run of other batches or steps.</exception>
    public static Resumption Read(string folder, Checkpoint into, TrainingPlan plan)
    {
        var state = TrainerState.Load(Path.Combine(folder, TrainerState.FileName));
        RequireSame(folder, "train_batch_size", "per_device_train_batch_size", state.TrainBatchSize, plan.BatchSize);
        RequireSame(folder, "max_steps", "num_train_epochs or max_steps", state.MaxSteps, plan.MaxSteps);
        LoadWeights(folder, into.Model);
        PythonOptimizer.Read(Path.Combine(folder, PythonOptimizer.FileName), into.Optimizer);
        into.Schedule.LoadState(PythonScheduler.Read(Path.Combine(folder, PythonScheduler.FileName)));
        into.Meter.StartAt(state.GlobalStep, LossSoFar(state));
        var random = Path.Combine(folder, PythonRandom.FileName);
        var generator = File.Exists(random) ? new GeneratorFile(PythonRandom.Read(random).Torch, BeforePending: null) : null;
        return new Resumption(state, new Progress(Position.AfterStep(state.GlobalStep, plan), GradientNorm: null, LearningRate: null, ExtraSteps: []), generator);
    }

    /// <summary>Loads the weights of a checkpoint folder in any of Python's formats.</summary>
    /// <exception cref="TrainingException">They are of another model.</exception>
    public static void LoadWeights(string folder, ImageClassifier model)
    {
        try
        {
            if (model.ActiveAdapter is { } adapter)
            {
                adapter.Load(Path.Combine(folder, NetworkAdapter.WeightsFile));
                return;
            }

            var report = ModelFolder.LoadWeights(model.Network, ModelLocation.Find(folder), ignoreMismatchedSizes: false);
            if (report.NewlyInitialized.Count > 0)
            {
                throw new TrainingException($"The checkpoint '{folder}' is of another model: it has no '{report.NewlyInitialized[0]}'.");
            }
        }
        catch (ModelLoadException e)
        {
            throw new TrainingException($"The weights of the checkpoint '{folder}' cannot be loaded: {e.Message}", e);
        }
    }

    private static void RequireSame(string folder, string name, string argument, int then, int now)
    {
        if (then != 0 && then != now)
        {
            throw new TrainingException(Invariant($"The run cannot be resumed from '{folder}': {name} was {then} in Python and is {now} here. Set {argument} as it was."));
        }
    }

    /// <summary>The sum of all losses, from the rows: the only place where Python keeps them.</summary>
    private static double LossSoFar(TrainerState state)
    {
        var (sum, last) = (0.0, 0);
        foreach (var row in state.LogHistory)
        {
            if (row.Number("loss") is { } loss && row.Whole("step") is { } step)
            {
                sum += loss * (step - last);
                last = step;
            }
        }

        return sum;
    }
}
