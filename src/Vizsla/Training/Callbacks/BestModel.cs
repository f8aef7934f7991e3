using Vizsla.Training.Metrics;

namespace Vizsla.Training.Callbacks;

/// <summary>Which evaluation was the best.</summary>
/// <remarks>Source: transformers <c>Trainer._determine_best_metric</c>. Parity: exact.</remarks>
internal sealed class BestModel
{
    private readonly TrainerState _state;

    /// <param name="arguments">The arguments.</param>
    /// <param name="metrics">The metrics that are computed.</param>
    /// <param name="state">Where the best is noted.</param>
    /// <exception cref="Arguments.ArgumentsException">The metric is none of those.</exception>
    public BestModel(TrainingArguments arguments, IReadOnlyList<Metric> metrics, TrainerState state)
    {
        _state = state;
        var needed = arguments.LoadBestModelAtEnd || arguments.EarlyStoppingPatience is not null
            || arguments.SaveStrategy == SaveStrategy.Best || arguments.LrSchedulerType == SchedulerType.ReduceLrOnPlateau;
        if ((arguments.MetricForBestModel ?? (needed ? "loss" : null)) is not { } asked)
        {
            return;
        }

        var metric = Metric.Find(asked, metrics);
        if (metric is null && asked is not ("loss" or "eval_loss"))
        {
            var known = metrics.Concat(Metric.All).Select(m => m.Name).Prepend("loss").Distinct();
            throw new Arguments.ArgumentsException($"metric_for_best_model is '{asked}', which no metric of this run gives. {Metric.Known(asked, known)}");
        }

        Key = "eval_" + (metric?.Name ?? "loss");
        GreaterIsBetter = arguments.GreaterIsBetter ?? metric?.GreaterIsBetter ?? false;
    }

    /// <summary>The metric with its prefix; null where nothing asks for the best.</summary>
    public string? Key { get; }

    /// <summary>Its direction.</summary>
    public bool GreaterIsBetter { get; }

    /// <summary>Notes an evaluation.</summary>
    /// <returns>Whether it is better than all before.</returns>
    public bool Update(IReadOnlyDictionary<string, double> metrics)
    {
        if (Key is null)
        {
            return false;
        }

        var value = metrics[Key];
        var best = _state.BestMetric ?? (GreaterIsBetter ? double.NegativeInfinity : double.PositiveInfinity);
        if (!(GreaterIsBetter ? value > best : value < best))
        {
            return false;
        }

        (_state.BestMetric, _state.BestGlobalStep) = (value, _state.GlobalStep);
        return true;
    }
}
