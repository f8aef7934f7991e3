using System.Text.Json.Nodes;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Schedules;

/// <summary>Cuts the rates when a metric has not improved for more than <c>patience</c> evaluations.</summary>
/// <remarks>Source: torch <c>ReduceLROnPlateau</c>, with its relative rule also for negative values. Parity: exact.</remarks>
internal sealed class PlateauSchedule : Schedule
{
    private readonly PlateauOptions _options;
    private double _best;
    private int _badCount;
    private int _cooldown;

    public PlateauSchedule(IReadOnlyList<double> baseRates, PlateauOptions options)
        : base(baseRates)
    {
        _options = options;
        _best = options.GreaterIsBetter ? double.NegativeInfinity : double.PositiveInfinity;
    }

    /// <summary>When and by how much it cuts.</summary>
    public PlateauOptions Options => _options;

    public override void Evaluated(double metric)
    {
        StepCount++;
        var better = IsBetter(metric);
        _best = better ? metric : _best;
        _badCount = better ? 0 : _badCount + 1;
        if (_cooldown > 0)
        {
            _cooldown--;
            _badCount = 0;
        }

        if (_badCount > _options.Patience)
        {
            Cut();
            _cooldown = _options.Cooldown;
            _badCount = 0;
        }
    }

    public override JsonObject SaveState()
    {
        var state = base.SaveState();
        state["best"] = _best;
        state["num_bad_epochs"] = _badCount;
        state["cooldown_counter"] = _cooldown;
        return state;
    }

    public override void LoadState(JsonObject state)
    {
        base.LoadState(state);
        _best = state.Number("best") ?? _best;
        _badCount = state.Whole("num_bad_epochs") ?? 0;
        _cooldown = state.Whole("cooldown_counter") ?? 0;
    }

    private bool IsBetter(double value) => (_options.GreaterIsBetter, _options.IsAbsolute) switch
    {
        (false, false) => value < _best * (1.0 - _options.Threshold),
        (false, true) => value < _best - _options.Threshold,
        (true, false) => value > _best * (_options.Threshold + 1.0),
        (true, true) => value > _best + _options.Threshold,
    };

    private void Cut()
    {
        for (var group = 0; group < Rates.Count; group++)
        {
            var rate = Math.Max(Rates[group] * _options.Factor, _options.LeastRate);
            if (Rates[group] - rate > _options.Epsilon)
            {
                SetRate(group, rate);
            }
        }
    }
}

/// <summary>When and by how much a plateau cuts the rates; defaults as torch's.</summary>
/// <param name="GreaterIsBetter">Direction of the metric (<c>mode</c>).</param>
/// <param name="Factor">Factor of a cut.</param>
/// <param name="Patience">Evaluations without improvement that are tolerated.</param>
/// <param name="Threshold">Least improvement.</param>
/// <param name="IsAbsolute">Whether the threshold is added rather than multiplied (<c>threshold_mode</c>).</param>
/// <param name="Cooldown">Evaluations after a cut that do not count.</param>
/// <param name="LeastRate">Rate below which nothing is cut (<c>min_lr</c>).</param>
/// <param name="Epsilon">Least change of the rate (<c>eps</c>).</param>
internal sealed record PlateauOptions(
    bool GreaterIsBetter = false, double Factor = 0.1, int Patience = 10, double Threshold = 1e-4,
    bool IsAbsolute = false, int Cooldown = 0, double LeastRate = 0, double Epsilon = 1e-8);
