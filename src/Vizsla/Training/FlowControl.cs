namespace Vizsla.Training;

/// <summary>Says after which steps and epochs to log, evaluate, save and stop.</summary>
/// <remarks>Source: transformers 4.57 <c>DefaultFlowCallback</c>. Parity: exact; 5.x evaluates once more at the end.</remarks>
internal sealed class FlowControl(TrainingArguments arguments, TrainerState state, TrainerControl control)
{
    public void BeginEpoch() => control.ShouldEpochStop = false;

    public void BeginStep() => (control.ShouldLog, control.ShouldEvaluate, control.ShouldSave) = (false, false, false);

    public void EndStep()
    {
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
        control.ShouldLog |= arguments.LoggingStrategy == IntervalStrategy.Epoch;
        control.ShouldEvaluate |= arguments.EvalStrategy == IntervalStrategy.Epoch && arguments.EvalDelay <= state.Epoch;
        control.ShouldSave |= arguments.SaveStrategy == SaveStrategy.Epoch;
    }
}
