using System.Text.Json.Nodes;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Checkpoints;

/// <summary>What a run needs to go on and Python's <c>trainer_state.json</c> has no place for.</summary>
/// <param name="Position">Where in the epoch.</param>
/// <param name="GradientNorm">Norm of the last step, for a row that is still to come; null where nothing is clipped.</param>
/// <param name="LearningRate">Learning rate of the last step; null where the checkpoint does not say.</param>
/// <param name="ExtraSteps">Steps whose checkpoint was saved only because their evaluation was the best.</param>
/// <param name="IsEvaluationDue">Whether the run was stopped in an evaluation, which is to be done anew.</param>
/// <param name="IsSaveDue">Whether a checkpoint is to be saved after that evaluation.</param>
internal sealed record Progress(
    Position Position, double? GradientNorm, double? LearningRate, IReadOnlyList<int> ExtraSteps, bool IsEvaluationDue = false, bool IsSaveDue = false)
{
    /// <summary>Samples of a batch of all processes, by which the position counts; null where the checkpoint does not say.</summary>
    public int? BatchSizeOfAll { get; init; }

    /// <summary>The position in a run whose processes take together perhaps more or fewer samples in a batch.</summary>
    /// <param name="plan">The run.</param>
    /// <exception cref="TrainingException">It is inside a batch of that run.</exception>
    public Position PositionIn(TrainingPlan plan)
    {
        if (BatchSizeOfAll is not { } before || before == plan.BatchSizeOfAll)
        {
            return Position;
        }

        var samples = (long)Position.BatchesDone * before;
        return samples >= plan.SampleCount ? Position with { BatchesDone = plan.BatchesPerEpoch }
            : samples % plan.BatchSizeOfAll == 0 ? Position with { BatchesDone = (int)(samples / plan.BatchSizeOfAll) }
            : throw new TrainingException($"The checkpoint was taken after {samples} pictures of an epoch, which is inside a batch of {plan.BatchSizeOfAll} of all processes: give the per_device_train_batch_size and number of processes that it began with.");
    }

    public JsonObject ToJson() => new()
    {
        ["position"] = Position.ToJson(),
        ["batch_size_of_all"] = BatchSizeOfAll,
        ["grad_norm"] = GradientNorm,
        ["learning_rate"] = LearningRate,
        ["extra_steps"] = new JsonArray([.. ExtraSteps.Select(step => (JsonNode)step)]),
        ["evaluation_due"] = IsEvaluationDue,
        ["save_due"] = IsSaveDue,
    };

    public static Progress FromJson(JsonObject json) => new(
        Position.FromJson(json["position"] as JsonObject ?? []),
        json.Number("grad_norm"),
        json.Number("learning_rate"),
        [.. (json["extra_steps"] as JsonArray ?? []).Numbers().Select(step => (int)step)],
        json["evaluation_due"]?.GetValue<bool>() ?? false,
        json["save_due"]?.GetValue<bool>() ?? false)
    {
        BatchSizeOfAll = json.Whole("batch_size_of_all"),
    };
}

/// <summary>Where inside the run a checkpoint was taken.</summary>
/// <param name="Epoch">Epoch from 0.</param>
/// <param name="BatchesDone">Batches of that epoch that were done.</param>
/// <param name="IsEpochDone">Whether the end of the epoch (its row, its evaluation) was done too.</param>
internal sealed record Position(int Epoch, int BatchesDone, bool IsEpochDone)
{
    /// <summary>The beginning of a run.</summary>
    public static Position Start { get; } = new(0, 0, false);

    /// <summary>Epoch to continue with.</summary>
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
