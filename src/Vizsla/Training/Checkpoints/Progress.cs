using System.Text.Json.Nodes;

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
    public JsonObject ToJson() => new()
    {
        ["position"] = Position.ToJson(),
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
        json["save_due"]?.GetValue<bool>() ?? false);
}
