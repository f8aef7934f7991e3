using System.Text.Json.Nodes;

namespace Vizsla.Training;

/// <summary>What the trainer does next; a callback may change it.</summary>
/// <remarks>Source: transformers <c>TrainerControl</c>.</remarks>
public sealed class TrainerControl
{
    /// <summary>Whether the run ends after this step.</summary>
    public bool ShouldTrainingStop { get; set; }

    /// <summary>Whether this epoch ends after this step.</summary>
    public bool ShouldEpochStop { get; set; }

    /// <summary>Whether a checkpoint is saved at this step.</summary>
    public bool ShouldSave { get; set; }

    /// <summary>Whether an evaluation runs at this step.</summary>
    public bool ShouldEvaluate { get; set; }

    /// <summary>Whether a row of the training loss is written at this step.</summary>
    public bool ShouldLog { get; set; }

    /// <summary>The value under <c>stateful_callbacks</c>.</summary>
    internal JsonObject ToJson() => new()
    {
        ["args"] = new JsonObject
        {
            ["should_epoch_stop"] = ShouldEpochStop,
            ["should_evaluate"] = ShouldEvaluate,
            ["should_log"] = ShouldLog,
            ["should_save"] = ShouldSave,
            ["should_training_stop"] = ShouldTrainingStop,
        },
        ["attributes"] = new JsonObject(),
    };
}
