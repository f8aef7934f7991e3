namespace Vizsla.Training.Schedules;

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
