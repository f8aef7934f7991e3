using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Training;

namespace Vizsla.Cli.Jobs;

/// <summary>A line per row of the log, for a terminal that does not redraw and for files.</summary>
internal sealed class TrainingLines(CommandConsole console) : TrainerCallback
{
    public override void OnTrainBegin(TrainerContext context) =>
        console.Note($"Training {context.State.MaxSteps} steps over {context.State.NumTrainEpochs} epochs, from step {context.State.GlobalStep}.");

    public override void OnLog(TrainerContext context, JsonObject row)
    {
        var values = row.Where(p => p.Key is not ("step" or "epoch" or "total_flos") && !p.Key.EndsWith("_per_second", StringComparison.Ordinal))
            .Select(p => $"{p.Key} {Number(p.Value)}");
        console.Note(string.Create(
            CultureInfo.InvariantCulture, $"step {context.State.GlobalStep}/{context.State.MaxSteps}  epoch {context.State.Epoch:0.00}  {string.Join("  ", values)}"));
    }

    private static string Number(JsonNode? value) =>
        value is JsonValue v && v.TryGetValue<double>(out var number) ? (Math.Abs(number) is > 0 and < 1e-3 ? number.ToString("0.###e0", CultureInfo.InvariantCulture) : number.ToString("0.####", CultureInfo.InvariantCulture)) : value?.ToString() ?? "null";
}
