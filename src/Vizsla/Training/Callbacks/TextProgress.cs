using System.Globalization;
using System.Text.Json.Nodes;

namespace Vizsla.Training.Callbacks;

/// <summary>Writes a line for each row of the log: how far the training is, the time left, and the row's numbers.</summary>
/// <param name="writer">Where the lines go, such as <c>Console.Out</c>.</param>
/// <param name="time">The clock; null for the system's.</param>
/// <remarks>For your own program: <c>new TrainerOptions { Callbacks = [new TextProgress(Console.Out)] }</c>. How often rows come is <see cref="TrainingArguments.LoggingSteps"/>.</remarks>
public sealed class TextProgress(TextWriter writer, TimeProvider? time = null) : TrainerCallback
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _begin;
    private int _first;

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainerContext context) => (_begin, _first) = (_time.GetTimestamp(), context.State.GlobalStep);

    /// <inheritdoc/>
    public override void OnLog(TrainerContext context, JsonObject row)
    {
        var (step, steps) = (context.State.GlobalStep, context.State.MaxSteps);
        var numbers = row.Where(r => r.Key is not ("step" or "epoch") && r.Value?.GetValueKind() == System.Text.Json.JsonValueKind.Number)
            .Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Key} {r.Value!.GetValue<double>():G4}"));
        var left = step > _first && step < steps
            ? string.Create(CultureInfo.InvariantCulture, $@", {_time.GetElapsedTime(_begin) / (step - _first) * (steps - step):h\:mm\:ss} left")
            : "";
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step} of {steps}{left}: {string.Join(", ", numbers)}"));
    }
}
