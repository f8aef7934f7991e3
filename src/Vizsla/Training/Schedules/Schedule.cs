using System.Text.Json.Nodes;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Schedules;

/// <summary>The learning rate of each parameter group from step to step; an extension point.</summary>
/// <remarks>Source: the schedulers of transformers' <c>get_scheduler</c>. Parity: 1e-12.</remarks>
public abstract class Schedule
{
    private readonly double[] _rates;

    /// <summary>Makes a schedule that stands at its base rates.</summary>
    /// <param name="baseRates">Base learning rate of each parameter group.</param>
    protected Schedule(IReadOnlyList<double> baseRates)
    {
        BaseRates = [.. baseRates];
        _rates = [.. baseRates];
    }

    /// <summary>Base learning rate of each parameter group.</summary>
    public IReadOnlyList<double> BaseRates { get; private set; }

    /// <summary>Learning rate of each parameter group for the coming optimizer step.</summary>
    public IReadOnlyList<double> Rates => _rates;

    /// <summary>Optimizer steps (or, for a plateau, evaluations) so far.</summary>
    public int StepCount { get; protected set; }

    /// <summary>Advances by one optimizer step.</summary>
    public virtual void Step()
    {
    }

    /// <summary>Takes the result of an evaluation.</summary>
    /// <param name="metric">Value of the metric that says which evaluation is best.</param>
    public virtual void Evaluated(double metric)
    {
    }

    /// <summary>What a resumed run needs.</summary>
    public virtual JsonObject SaveState() => new()
    {
        ["base_lrs"] = Numbers(BaseRates),
        ["last_epoch"] = StepCount,
        ["_last_lr"] = Numbers(_rates),
    };

    /// <summary>Restores what <see cref="SaveState"/>, or Python's <c>scheduler.pt</c>, gave.</summary>
    /// <param name="state">The state.</param>
    /// <exception cref="TrainingException">The state is of another number of parameter groups.</exception>
    public virtual void LoadState(JsonObject state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var rates = state["_last_lr"]?.AsArray().Numbers() ?? [];
        if (rates.Length != _rates.Length)
        {
            throw new TrainingException($"The schedule's state has {rates.Length} parameter groups, expected {_rates.Length}; resume with the arguments that the run began with.");
        }

        BaseRates = state["base_lrs"]?.AsArray().Numbers() ?? BaseRates;
        StepCount = state.Whole("last_epoch") ?? 0;
        rates.CopyTo(_rates, 0);
    }

    /// <summary>Sets the rate of a group for the coming step.</summary>
    /// <param name="group">The group, from 0.</param>
    /// <param name="rate">The rate.</param>
    protected void SetRate(int group, double rate) => _rates[group] = rate;

    private static JsonArray Numbers(IEnumerable<double> values) => new([.. values.Select(v => (JsonNode)JsonValue.Create(v))]);
}

/// <summary>Base rates times a factor that depends on the step alone.</summary>
/// <remarks>Source: torch <c>LambdaLR</c>.</remarks>
internal sealed class FactorSchedule : Schedule
{
    private readonly Func<int, double> _factor;

    public FactorSchedule(IReadOnlyList<double> baseRates, Func<int, double> factor)
        : base(baseRates)
    {
        _factor = factor;
        Apply();
    }

    public override void Step()
    {
        StepCount++;
        Apply();
    }

    private void Apply()
    {
        var factor = _factor(StepCount);
        for (var group = 0; group < BaseRates.Count; group++)
        {
            SetRate(group, BaseRates[group] * factor);
        }
    }
}
