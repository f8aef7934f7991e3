using System.Text.Json.Nodes;
using Vizsla.Adapters;
using Vizsla.Models.Weights;
using Vizsla.Primitives;
using Vizsla.Training.Arguments;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Losses;
using Vizsla.Training.Optimizers;
using Vizsla.Training.PythonState;
using Vizsla.Training.Schedules;

namespace Vizsla.Training.Checkpoints;

/// <summary>Writes and reads everything that a resumed run needs to equal an uninterrupted one.</summary>
/// <param name="Model">The model.</param>
/// <param name="Optimizer">The optimizer.</param>
/// <param name="Schedule">The learning rates.</param>
/// <param name="Meter">Losses since the last row.</param>
/// <param name="Average">The moving average of the weights; null where there is none.</param>
/// <param name="Scaler">The loss scale; null where there is none.</param>
internal sealed record Checkpoint(
    ImageClassifier Model, Optimizer Optimizer, Schedule Schedule, LossMeter Meter, WeightAverage? Average, LossScaler? Scaler)
{
    private const string LossKey = "loss";
    private const string ScalerKey = "scaler";
    private const string EpochsKey = "swa_epochs";

    /// <summary>The average over epochs; null where there is none.</summary>
    public EpochAverage? Epochs { get; init; }

    /// <summary>Writes the files of a checkpoint.</summary>
    /// <param name="folder">An empty folder.</param>
    /// <param name="arguments">Whether the weights alone are wanted, and Python's files too.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="progress">What the trainer's state does not hold.</param>
    /// <param name="generators">Where libtorch's generator stands, by rank.</param>
    /// <param name="description">What was asked.</param>
    public void Write(string folder, TrainingArguments arguments, TrainerState state, Progress progress, IReadOnlyList<GeneratorFile> generators, RunDescription description)
    {
        Model.Save(folder);
        if (!arguments.SaveOnlyModel)
        {
            OptimizerFile.Write(Path.Combine(folder, CheckpointNames.Optimizer), Optimizer);
            WriteJson(folder, CheckpointNames.Scheduler, Schedule.SaveState());
            GeneratorFile.Write(Path.Combine(folder, CheckpointNames.Generator), generators);
            if (arguments.SavePythonState)
            {
                PythonOptimizer.Write(Path.Combine(folder, PythonOptimizer.FileName), Optimizer, arguments.Optim, Schedule.Rates);
                PythonScheduler.Write(Path.Combine(folder, PythonScheduler.FileName), Schedule, arguments.LrSchedulerType);
            }

            var json = progress.ToJson();
            json[LossKey] = Meter.SaveState();
            json[ScalerKey] = Scaler?.SaveState();
            json[EpochsKey] = Epochs?.Count;
            WriteJson(folder, CheckpointNames.Progress, json);
        }

        if (Average is not null)
        {
            SafetensorsFile.Write(Path.Combine(folder, CheckpointNames.Average), Average.Tensors.Select(t => KeyValuePair.Create(t.Name, t.Value)));
        }

        if (Epochs is { Count: > 0 })
        {
            SafetensorsFile.Write(Path.Combine(folder, CheckpointNames.Epochs), Epochs.Tensors.Select(t => KeyValuePair.Create(t.Name, t.Value)));
        }

        File.WriteAllText(Path.Combine(folder, CheckpointNames.Arguments), description.FileText);
        File.WriteAllText(Path.Combine(folder, TrainerState.FileName), state.ToFileText());
    }

    /// <summary>Reads a checkpoint back into model, optimizer, schedule and meter.</summary>
    /// <param name="folder">A whole checkpoint, of ours or of Python's.</param>
    /// <param name="plan">The steps of the run.</param>
    /// <param name="rank">The process whose generator is read.</param>
    /// <exception cref="TrainingException">It is of another model.</exception>
    public Resumption Read(string folder, TrainingPlan plan, int rank = 0)
    {
        if (PythonCheckpoint.Is(folder))
        {
            return PythonCheckpoint.Read(folder, this, plan);
        }

        NetworkWeights.Load(Model.SavedState, Path.Combine(folder, WeightsName));
        OptimizerFile.Read(Path.Combine(folder, CheckpointNames.Optimizer), Optimizer);
        Schedule.LoadState(ReadJson(folder, CheckpointNames.Scheduler));
        var progress = ReadJson(folder, CheckpointNames.Progress);
        Meter.LoadState(progress[LossKey] as JsonObject ?? []);
        Scaler?.LoadState(progress[ScalerKey] as JsonObject ?? []);
        if (Average is not null)
        {
            NetworkWeights.Load(Average.Tensors, Path.Combine(folder, CheckpointNames.Average));
        }

        if (Epochs is not null && progress.Whole(EpochsKey) is { } count and > 0)
        {
            NetworkWeights.Load(Epochs.Tensors, Path.Combine(folder, CheckpointNames.Epochs));
            Epochs.Count = count;
        }

        return new Resumption(
            TrainerState.Load(Path.Combine(folder, TrainerState.FileName)),
            Progress.FromJson(progress),
            GeneratorFile.Read(Path.Combine(folder, CheckpointNames.Generator), rank));
    }

    /// <summary>Puts the weights of a checkpoint into the network, those of the moving average where the run has one.</summary>
    /// <param name="folder">A whole checkpoint, of ours or of Python's.</param>
    /// <exception cref="TrainingException">They are of another model.</exception>
    public void LoadWeights(string folder)
    {
        if (PythonCheckpoint.Is(folder))
        {
            PythonCheckpoint.LoadWeights(folder, Model);
        }
        else
        {
            NetworkWeights.Load(Model.SavedState, Path.Combine(folder, Average is null ? WeightsName : CheckpointNames.Average));
        }
    }

    private string WeightsName => Model.ActiveAdapter is null ? CheckpointNames.Weights : NetworkAdapter.WeightsFile;

    private static void WriteJson(string folder, string name, JsonObject json) =>
        File.WriteAllText(Path.Combine(folder, name), PythonJson.Serialize(json) + "\n");

    private static JsonObject ReadJson(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return PythonJson.Parse(File.ReadAllText(path)) as JsonObject ?? throw new TrainingException($"'{path}' must hold one JSON object. Resume from another checkpoint.");
    }
}

/// <summary>Where a run resumes.</summary>
/// <param name="State">The state of the trainer.</param>
/// <param name="Progress">What the trainer's state does not hold.</param>
/// <param name="Generator">Where libtorch's generator stood; null where the checkpoint does not say.</param>
internal sealed record Resumption(TrainerState State, Progress Progress, GeneratorFile? Generator);
