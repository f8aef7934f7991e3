using System.Text.Json.Nodes;

namespace Vizsla.Training.Callbacks;

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

    /// <summary>Forgets what was asked, as a training begins.</summary>
    internal void Reset() => (ShouldTrainingStop, ShouldEpochStop, ShouldSave, ShouldEvaluate, ShouldLog) = (false, false, false, false, false);

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

/// <summary>Says after which steps and epochs to log, evaluate, save and stop.</summary>
/// <remarks>Source: transformers 4.57 <c>DefaultFlowCallback</c>. Parity: exact; 5.x evaluates once more at the end.</remarks>
internal sealed class FlowControl(TrainerContext context)
{
    public void BeginEpoch() => context.Control.ShouldEpochStop = false;

    public void BeginStep() => (context.Control.ShouldLog, context.Control.ShouldEvaluate, context.Control.ShouldSave) = (false, false, false);

    public void EndStep()
    {
        var (arguments, state, control) = (context.Arguments, context.State, context.Control);
        var step = state.GlobalStep;
        control.ShouldLog |= (step == 1 && arguments.LoggingFirstStep) || (arguments.LoggingStrategy == IntervalStrategy.Steps && step % state.LoggingSteps == 0);
        control.ShouldEvaluate |= arguments.EvalStrategy == IntervalStrategy.Steps && step % state.EvalSteps == 0 && arguments.EvalDelay <= step;
        control.ShouldSave |= arguments.SaveStrategy == SaveStrategy.Steps && step % state.SaveSteps == 0;
        if (step >= state.MaxSteps)
        {
            control.ShouldTrainingStop = true;
            control.ShouldSave |= arguments.SaveStrategy == SaveStrategy.Steps;
        }
    }

    public void EndEpoch()
    {
        var (arguments, state, control) = (context.Arguments, context.State, context.Control);
        control.ShouldLog |= arguments.LoggingStrategy == IntervalStrategy.Epoch;
        control.ShouldEvaluate |= arguments.EvalStrategy == IntervalStrategy.Epoch && arguments.EvalDelay <= state.Epoch;
        control.ShouldSave |= arguments.SaveStrategy == SaveStrategy.Epoch;
    }
}
