using System.Text.Json.Nodes;

namespace Vizsla.Training.Checkpoints;

/// <summary>Where inside the run a checkpoint was taken.</summary>
/// <param name="Epoch">Epoch from 0.</param>
/// <param name="BatchesDone">Batches of that epoch that were done.</param>
/// <param name="IsEpochDone">Whether the end of the epoch (its row, its evaluation) was done too.</param>
internal sealed record Position(int Epoch, int BatchesDone, bool IsEpochDone)
{
    /// <summary>The beginning of a run.</summary>
    public static Position Start { get; } = new(0, 0, false);

    /// <summary>Epoch to go on with.</summary>
    public int NextEpoch => IsEpochDone ? Epoch + 1 : Epoch;

    /// <summary>Whether some batches of an epoch are done, but not what comes after the last one.</summary>
    /// <param name="epoch">Epoch from 0.</param>
    public bool IsInside(int epoch) => Epoch == epoch && BatchesDone > 0 && !IsEpochDone;

    /// <summary>The position that Python's Trainer works out from the step alone.</summary>
    public static Position AfterStep(int step, TrainingPlan plan) => new(step / plan.StepsPerEpoch, step % plan.StepsPerEpoch * plan.AccumulationSteps, false);

    public JsonObject ToJson() => new() { ["epoch"] = Epoch, ["batches_done"] = BatchesDone, ["is_epoch_done"] = IsEpochDone };

    public static Position FromJson(JsonObject json) =>
        new(json.Whole("epoch") ?? 0, json.Whole("batches_done") ?? 0, json["is_epoch_done"]?.GetValue<bool>() ?? false);
}
