namespace Vizsla.Training.RateSearch;

/// <summary>How learning rates are tried: one batch for each, from small to large.</summary>
/// <remarks>Source: "Cyclical Learning Rates for Training Neural Networks"; the defaults are fastai's <c>lr_find</c>.</remarks>
public sealed record LearningRateSearch
{
    /// <summary>The first rate, above 0. Default 1e-7.</summary>
    public double From { get; init; } = 1e-7;

    /// <summary>The last rate, above <see cref="From"/>. Default 10.</summary>
    public double To { get; init; } = 10;

    /// <summary>Optimizer steps, each at a rate larger than the last by the same factor; at least 10. Default 100.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>The search ends when the smoothed loss is this many times the least one, above 1. Default 4.</summary>
    public double Divergence { get; init; } = 4;

    /// <summary>What is wrong, one sentence each; empty where nothing is.</summary>
    internal IEnumerable<string> Problems()
    {
        if (!(From > 0 && To > From && double.IsFinite(To)))
        {
            yield return $"The learning rates to try go from {Primitives.PythonJson.Repr(From)} to {Primitives.PythonJson.Repr(To)}, expected two numbers above 0, the smaller first.";
        }

        if (Steps < LearningRateCurve.LeastSteps)
        {
            yield return $"The search for a learning rate has {Steps} steps, expected at least {LearningRateCurve.LeastSteps}.";
        }

        if (!(Divergence > 1))
        {
            yield return $"The search for a learning rate ends at {Primitives.PythonJson.Repr(Divergence)} times the least loss, expected a number above 1.";
        }
    }
}
