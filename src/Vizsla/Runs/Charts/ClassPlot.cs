using System.Globalization;
using SkiaSharp;
using Vizsla.Imaging;
using Vizsla.Training.Metrics;

namespace Vizsla.Runs.Charts;

/// <summary>A bar of F1 for each class, with its precision and recall.</summary>
internal static class ClassPlot
{
    private const int MostShown = 50;
    private const int Width = 1100;
    private const float Top = 110;
    private const float Row = 28;
    private const float Bottom = 70;
    private const float Right = 110;
    private const float TitleSize = 26;
    private const float TextSize = 17;
    private const float MostLabelWidth = 300;

    private static readonly SKColor Bar = new(150, 195, 225);
    private static readonly SKColor Precision = new(0, 90, 150);
    private static readonly SKColor Recall = new(213, 94, 0);

    /// <summary>Draws the bars, or, of many classes, the lowest.</summary>
    /// <param name="classes">The scores.</param>
    /// <returns>The picture; the caller owns it.</returns>
    public static Image Draw(IReadOnlyList<ClassScores> classes)
    {
        var counted = classes.Where(c => c.Support > 0).ToArray();
        var shown = counted.OrderBy(c => c.F1).ThenBy(c => c.Label, StringComparer.Ordinal).Take(MostShown).Reverse().ToArray();
        var labelWidth = Math.Min(MostLabelWidth, shown.Select(c => ChartCanvas.Measure(c.Label, TextSize)).DefaultIfEmpty(0).Max());
        var left = labelWidth + 36;
        var height = Top + (Row * shown.Length) + Bottom;
        using var canvas = new ChartCanvas(Width, (int)height);
        var x = ChartAxis.Fit([0, 1], left, Width - Right, 5);
        canvas.Text(
            shown.Length == counted.Length ? "F1 of each class" : $"F1 of the {shown.Length} lowest of {counted.Length} classes", 24, 34, TitleSize, SKTextAlign.Left);
        DrawLegend(canvas);
        foreach (var tick in x.Ticks)
        {
            canvas.Line(x.Pixel(tick), Top, x.Pixel(tick), height - Bottom, ChartCanvas.Faint);
            canvas.Text(x.Label(tick), x.Pixel(tick), height - Bottom + 20, TextSize, SKTextAlign.Center);
        }

        canvas.Text("pictures", Width - 20, Top - 14, TextSize, SKTextAlign.Right);
        foreach (var (i, scores) in shown.Index())
        {
            var middle = Top + (Row * (i + 0.5f));
            canvas.Text(ChartCanvas.Fit(scores.Label, labelWidth, TextSize), left - 12, middle, TextSize, SKTextAlign.Right);
            canvas.Box(left, middle - (Row * 0.34f), x.Pixel(scores.F1) - left, Row * 0.68f, Bar);
            canvas.Dot(x.Pixel(scores.Precision), middle - 4, 4.5f, Precision);
            canvas.Dot(x.Pixel(scores.Recall), middle + 4, 4.5f, Recall);
            canvas.Text(scores.Support.ToString(CultureInfo.InvariantCulture), Width - 20, middle, TextSize, SKTextAlign.Right);
        }

        canvas.Line(left, Top, left, height - Bottom, ChartCanvas.Ink, 1.5f);
        return canvas.ToImage();
    }

    private static void DrawLegend(ChartCanvas canvas)
    {
        canvas.Box(24, 62, 22, 18, Bar);
        canvas.Text("F1", 54, 71, TextSize, SKTextAlign.Left);
        canvas.Dot(112, 71, 5, Precision);
        canvas.Text("precision", 124, 71, TextSize, SKTextAlign.Left);
        canvas.Dot(232, 71, 5, Recall);
        canvas.Text("recall", 244, 71, TextSize, SKTextAlign.Left);
    }
}
