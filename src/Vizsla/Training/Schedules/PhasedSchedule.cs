using System.Text.Json.Nodes;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Schedules;

/// <summary>One schedule while something is frozen, and one of its own kind that begins at another rate when it is unfrozen.</summary>
/// <remarks>Source: as two trainings one after the other. Lightning's <c>BaseFinetuning</c> adds what it unfreezes at a tenth of the rate instead.</remarks>
internal sealed class PhasedSchedule : Schedule
{
    private const string Phases = "phases";

    private readonly Schedule _first;
    private readonly Schedule _second;
    private readonly int _firstSteps;

    private PhasedSchedule(Schedule first, Schedule second, int firstSteps)
        : base(first.BaseRates)
    {
        (_first, _second, _firstSteps) = (first, second, firstSteps);
        Take();
    }

    private Schedule Current => StepCount < _firstSteps ? _first : _second;

    /// <summary>The schedule of a run: one, or two where a rate is given for what is unfrozen.</summary>
    /// <param name="arguments">What was asked.</param>
    /// <param name="plan">Steps of the run.</param>
    /// <param name="baseRates">Base learning rate of each parameter group.</param>
    /// <param name="greaterIsBetter">Direction of the best metric, for a plateau.</param>
    public static Schedule Create(TrainingArguments arguments, TrainingPlan plan, IReadOnlyList<double> baseRates, bool greaterIsBetter)
    {
        Schedule Make(double share, int warmup, int steps) => LearningRateSchedules.Create(
            arguments.LrSchedulerType, [.. baseRates.Select(r => r * share)], arguments.LearningRate * share,
            warmup, steps, arguments.LrSchedulerKwargs, greaterIsBetter);

        if (arguments is not { UnfreezeAtEpoch: { } epoch, UnfreezeLearningRate: { } rate })
        {
            return Make(1, plan.WarmupSteps, plan.MaxSteps);
        }

        var firstSteps = Math.Min(epoch * plan.StepsPerEpoch, plan.MaxSteps);
        return new PhasedSchedule(
            Make(1, Math.Min(plan.WarmupSteps, firstSteps), firstSteps),
            Make(rate / arguments.LearningRate, 0, plan.MaxSteps - firstSteps),
            firstSteps);
    }

    public override void Step()
    {
        Current.Step();
        StepCount++;
        Take();
    }

    public override void Evaluated(double metric)
    {
        // The evaluation after the last frozen step is still of the first phase.
        (StepCount <= _firstSteps ? _first : _second).Evaluated(metric);
        Take();
    }

    public override JsonObject SaveState()
    {
        var state = base.SaveState();
        state[Phases] = new JsonArray(_first.SaveState(), _second.SaveState());
        return state;
    }

    public override void LoadState(JsonObject state)
    {
        base.LoadState(state);
        if (state[Phases] is not JsonArray { Count: 2 } phases)
        {
            throw new TrainingException("The schedule's state is of a run without unfreeze_learning_rate; resume with the arguments that the run began with.");
        }

        _first.LoadState(phases[0]!.AsObject());
        _second.LoadState(phases[1]!.AsObject());
    }

    private void Take()
    {
        for (var group = 0; group < Rates.Count; group++)
        {
            SetRate(group, Current.Rates[group]);
        }
    }
}
