using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Training.Callbacks;

namespace Vizsla.Cli.Progress;

/// <summary>A line for each row of the log, for files and terminals that do not redraw.</summary>
internal sealed class TextDisplay(CommandConsole console, TimeProvider time) : TrainingDisplay
{
    // Not shown: what the line has in its own words, and what only files need.
    private static readonly string[] Hidden = ["step", "epoch", "total_flos"];

    private readonly RunMeter _meter = new(time);

    public override void OnTrainBegin(TrainerContext context)
    {
        var (state, from) = (context.State, context.State.GlobalStep);
        _meter.Begin(from);
        console.Note($"Training {Wording.Counted(state.MaxSteps, "step")} over {Wording.Counted(state.NumTrainEpochs, "epoch")}{(from > 0 ? $", resuming after step {from}" : "")}.");
    }

    public override void OnStepEnd(TrainerContext context) => _meter.Step(context.State.GlobalStep, context.Rows.Count);

    public override void OnLog(TrainerContext context, JsonObject row)
    {
        var values = row.Where(cell => !Hidden.Contains(cell.Key) && !cell.Key.EndsWith("_per_second", StringComparison.Ordinal))
            .Select(cell => $"{cell.Key} {EvaluationTable.Text(EvaluationTable.Value(row, cell.Key))}");
        var speed = row.ContainsKey("loss") && _meter.PicturesPerSecond is { } rate
            ? string.Create(CultureInfo.InvariantCulture, $"  {rate:F1} img/s  left {Duration(_meter.Left(context.State.MaxSteps))}  {Memory()}")
            : "";
        console.Note(string.Create(
            CultureInfo.InvariantCulture, $"step {context.State.GlobalStep}/{context.State.MaxSteps}  epoch {context.State.Epoch:F2}  {string.Join("  ", values)}{speed}"));
    }

    public override void OnPredictionStep(TrainerContext context, int batch, int batchCount) => _meter.Skip();

    public override void OnSave(TrainerContext context, string folder)
    {
        console.Note($"saved {folder}");
        _meter.Skip();
    }
}
