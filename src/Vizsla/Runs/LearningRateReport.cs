using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Runs.Charts;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.RateSearch;

namespace Vizsla.Runs;

/// <summary>A search for a learning rate in a run folder: its numbers and its picture.</summary>
internal static class LearningRateReport
{
    /// <summary>The file that holds a curve.</summary>
    public const string FileName = "learning_rate_search.json";

    /// <summary>The picture of a curve, below the plots of a run.</summary>
    public const string PlotName = "learning_rate_search.png";

    private const double HighestDrawn = 1.1;

    /// <summary>Writes <see cref="FileName"/>, and the curve as a picture into <c>plots/</c>.</summary>
    /// <param name="curve">The curve.</param>
    /// <param name="folder">The run folder; created when absent.</param>
    /// <returns>Path of the picture.</returns>
    public static string Save(this LearningRateCurve curve, string folder)
    {
        ArgumentNullException.ThrowIfNull(curve);
        Directory.CreateDirectory(folder);
        var json = new JsonObject
        {
            ["suggestion"] = curve.Suggestion,
            ["steepest"] = curve.Steepest,
            ["tenth_of_best"] = curve.TenthOfBest,
            ["points"] = new JsonArray([.. curve.Points.Select(p => (JsonNode)new JsonObject { ["learning_rate"] = p.Rate, ["loss"] = p.Loss, ["smoothed_loss"] = p.SmoothedLoss })]),
        };
        DurableFile.WriteText(Path.Combine(folder, FileName), PythonJson.Serialize(json) + "\n");
        (double, string)? mark = curve.Suggestion is { } rate ? (Math.Log10(rate), $"suggested: {LearningRateCurve.Text(rate)}") : null;

        // Where the loss has left, its curve would press the valley flat.
        var (first, least) = (curve.Points[0].SmoothedLoss, curve.Points.Min(p => p.SmoothedLoss));
        var top = Math.Max(first + (first - least), least * HighestDrawn);
        ChartCurve smoothed = new("smoothed loss", [.. curve.Points.Select(p => (Math.Log10(p.Rate), p.SmoothedLoss <= top ? p.SmoothedLoss : double.NaN))]);
        using var picture = LineChart.Draw("Loss by learning rate", null, [smoothed], mark, powersOf: "Learning rate");
        return RunPlots.Save(folder, PlotName, picture);
    }
}
