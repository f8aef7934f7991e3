using System.Text.Json.Nodes;
using Vizsla.Training.Arguments;

namespace Vizsla.Training.Callbacks;

/// <summary>Stops a run whose best metric no longer improves.</summary>
/// <param name="patience">Evaluations without improvement after which it stops, at least 1.</param>
/// <param name="threshold">Least change that counts as improvement, 0 or more.</param>
/// <param name="metric">Name of the metric with its <c>eval_</c>.</param>
/// <param name="greaterIsBetter">Its direction.</param>
/// <param name="countsAfterEpoch">Epochs whose evaluations do not count, because something is frozen until then; 0, the default, counts all.</param>
/// <remarks>Source: transformers <c>EarlyStoppingCallback</c>. Parity: exact; its counter is part of every checkpoint.</remarks>
public sealed class EarlyStoppingCallback(int patience, double threshold, string metric, bool greaterIsBetter, int countsAfterEpoch = 0) : TrainerCallback
{
    private int _counter;

    /// <inheritdoc/>
    public override string StateName => nameof(EarlyStoppingCallback);

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainerContext context)
    {
        ArgumentNullException.ThrowIfNull(context);

        // A run that was killed after it had decided to stop decides the same when it is resumed; a new one counts anew.
        _counter = context.State.GlobalStep == 0 ? 0 : _counter;
        context.Control.ShouldTrainingStop |= _counter >= patience;
    }

    /// <inheritdoc/>
    public override void OnEvaluate(TrainerContext context, IReadOnlyDictionary<string, double> metrics)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(metrics);
        if (!metrics.TryGetValue(metric, out var value))
        {
            // A split without labels, or under another prefix, says nothing.
            return;
        }

        var counts = context.State.Epoch > countsAfterEpoch;
        _counter = !counts || context.State.BestMetric is not { } best || Improves(value, best) ? 0 : _counter + 1;
        context.Control.ShouldTrainingStop |= _counter >= patience;
    }

    /// <inheritdoc/>
    public override JsonObject SaveState() => new()
    {
        ["args"] = new JsonObject { ["early_stopping_patience"] = patience, ["early_stopping_threshold"] = threshold },
        ["attributes"] = new JsonObject { ["early_stopping_patience_counter"] = _counter },
    };

    /// <inheritdoc/>
    public override void LoadState(JsonObject state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _counter = (state["attributes"] as JsonObject)?.Whole("early_stopping_patience_counter") ?? 0;
    }

    private bool Improves(double value, double best) =>
        (greaterIsBetter ? value > best : value < best) && Math.Abs(value - best) > threshold;
}
