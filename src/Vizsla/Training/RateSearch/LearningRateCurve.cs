using System.Globalization;
using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Reports;

namespace Vizsla.Training.RateSearch;

/// <summary>The loss at learning rates from small to large, and the rate that it speaks for.</summary>
/// <remarks>
/// The first tenth and the last five points count for nothing: the smoothed loss has not settled there, or has left already.
/// Source: fastai <c>lr_find</c> with <c>valley</c>, <c>steep</c> and <c>minimum</c>. Parity: the same points of the same curve.
/// </remarks>
public sealed class LearningRateCurve
{
    /// <summary>The file that holds a curve.</summary>
    public const string FileName = "learning_rate_search.json";

    /// <summary>The picture of a curve, below the plots of a run.</summary>
    public const string PlotName = "learning_rate_search.png";

    internal const int LeastSteps = 10;

    private const int LastPassedOver = 5;
    private const double HighestDrawn = 1.1;

    internal LearningRateCurve(IReadOnlyList<LearningRatePoint> points, int plannedSteps)
    {
        Points = points;
        var counted = points.Skip(plannedSteps / 10).SkipLast(LastPassedOver).ToList();
        Suggestion = Valley(counted);
        Steepest = counted.Count < 2 ? null : counted[Enumerable.Range(0, counted.Count - 1).MinBy(i => Slope(counted[i], counted[i + 1]))].Rate;
        TenthOfBest = counted.Count == 0 ? null : counted.MinBy(p => p.SmoothedLoss)!.Rate / 10;
    }

    /// <summary>Rate and loss of every step.</summary>
    public IReadOnlyList<LearningRatePoint> Points { get; }

    /// <summary>The rate to train with: half-way along the longest stretch over which the loss falls; null where it falls nowhere.</summary>
    public double? Suggestion { get; }

    /// <summary>The rate at which the loss falls fastest; null with too few points.</summary>
    public double? Steepest { get; }

    /// <summary>A tenth of the rate with the least loss; null with too few points.</summary>
    public double? TenthOfBest { get; }

    /// <summary>Writes <see cref="FileName"/>, and the curve as a picture into <c>plots/</c>.</summary>
    /// <param name="folder">The run folder; created when absent.</param>
    /// <returns>Path of the picture.</returns>
    public string Save(string folder)
    {
        Directory.CreateDirectory(folder);
        var json = new JsonObject
        {
            ["suggestion"] = Suggestion,
            ["steepest"] = Steepest,
            ["tenth_of_best"] = TenthOfBest,
            ["points"] = new JsonArray([.. Points.Select(p => (JsonNode)new JsonObject { ["learning_rate"] = p.Rate, ["loss"] = p.Loss, ["smoothed_loss"] = p.SmoothedLoss })]),
        };
        DurableFile.WriteText(Path.Combine(folder, FileName), PythonJson.Serialize(json) + "\n");
        (double, string)? mark = Suggestion is { } rate ? (Math.Log10(rate), $"suggested: {Text(rate)}") : null;

        // Where the loss has left, its curve would press the valley flat.
        var (first, least) = (Points[0].SmoothedLoss, Points.Min(p => p.SmoothedLoss));
        var top = Math.Max(first + (first - least), least * HighestDrawn);
        ChartCurve smoothed = new("smoothed loss", [.. Points.Select(p => (Math.Log10(p.Rate), p.SmoothedLoss <= top ? p.SmoothedLoss : double.NaN))]);
        using var picture = LineChart.Draw("Loss by learning rate", null, [smoothed], mark, powersOf: "Learning rate");
        return RunPlots.Save(folder, PlotName, picture);
    }

    /// <summary>A rate with two digits.</summary>
    internal static string Text(double rate) => rate.ToString("0.#e-0", CultureInfo.InvariantCulture);

    private static double Slope(LearningRatePoint a, LearningRatePoint b) => (b.SmoothedLoss - a.SmoothedLoss) / (Math.Log(b.Rate) - Math.Log(a.Rate));

    // The longest series of points, not all neighbours, each lower than the one before; fastai takes it for as many neighbours that end where it ends.
    private static double? Valley(List<LearningRatePoint> points)
    {
        var lengths = new int[points.Count];
        var end = 0;
        for (var i = 0; i < points.Count; i++)
        {
            lengths[i] = 1 + Enumerable.Range(0, i).Where(j => points[i].SmoothedLoss < points[j].SmoothedLoss).Select(j => lengths[j]).DefaultIfEmpty(0).Max();
            end = lengths[i] > lengths[end] ? i : end;
        }

        if (points.Count == 0 || lengths[end] == 1)
        {
            return null;
        }

        var start = end - lengths[end];
        var third = (end - start) / 3.0;
        return points[Math.Max(0, start + (int)third + (int)(third / 2))].Rate;
    }
}

/// <summary>One step of a search for a learning rate.</summary>
/// <param name="Rate">Learning rate of the step.</param>
/// <param name="Loss">Loss of its batch, before the step.</param>
/// <param name="SmoothedLoss">Moving average of the losses so far, its bias taken out.</param>
public sealed record LearningRatePoint(double Rate, double Loss, double SmoothedLoss);
