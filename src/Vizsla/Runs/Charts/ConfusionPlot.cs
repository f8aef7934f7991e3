using System.Globalization;
using SkiaSharp;
using Vizsla.Imaging;
using Vizsla.Training.Metrics;

namespace Vizsla.Runs.Charts;

/// <summary>The confusion matrix as a picture: a row for each true class, a column for each prediction, dark where a class often lands.</summary>
internal static class ConfusionPlot
{
    /// <summary>With more classes than this no picture is drawn: its cells could not be told apart.</summary>
    public const int MostClasses = 1000;

    private const int MostShown = 60;
    private const float TitleSize = 26;
    private const float AxisSize = 19;
    private const float Margin = 24;
    private const float MostLabelWidth = 260;

    private static readonly SKColor Right = new(0, 90, 150);
    private static readonly SKColor Wrong = new(200, 80, 0);

    /// <summary>Draws the matrix, or, of many classes, the part with most mistakes.</summary>
    /// <param name="matrix">The counts.</param>
    /// <returns>The picture; the caller owns it.</returns>
    public static Image Draw(ConfusionMatrix matrix)
    {
        var shown = Shown(matrix);
        var cell = Math.Clamp(900f / shown.Length, 15, 90);
        var labelSize = Math.Clamp(cell * 0.62f, 10, 17);
        var labelWidth = Math.Min(MostLabelWidth, shown.Max(c => ChartCanvas.Measure(matrix.Labels[c], labelSize)) + 8);
        var left = Margin + 30 + labelWidth;
        var top = 90f;
        var side = cell * shown.Length;
        using var canvas = new ChartCanvas((int)Math.Max(left + side + Margin, 560), (int)(top + side + labelWidth + 50 + Margin));
        canvas.Text(Title(matrix, shown.Length), Margin, 34, TitleSize, SKTextAlign.Left);
        canvas.Text("True class", Margin + 6, top + (side / 2), AxisSize, SKTextAlign.Center, isUpright: true);
        canvas.Text("Predicted class", left + (side / 2), top + side + labelWidth + 34, AxisSize, SKTextAlign.Center);
        foreach (var (row, label) in shown.Index())
        {
            var y = top + (row * cell);
            canvas.Text(ChartCanvas.Fit(matrix.Labels[label], labelWidth - 8, labelSize), left - 8, y + (cell / 2), labelSize, SKTextAlign.Right);
            canvas.Text(
                ChartCanvas.Fit(matrix.Labels[label], labelWidth - 8, labelSize), left + ((row + 0.5f) * cell), top + side + 8, labelSize, SKTextAlign.Right, isUpright: true);
            foreach (var (column, predicted) in shown.Index())
            {
                DrawCell(canvas, matrix, label, predicted, left + (column * cell), y, cell);
            }
        }

        for (var i = 0; i <= shown.Length; i++)
        {
            canvas.Line(left, top + (i * cell), left + side, top + (i * cell), ChartCanvas.Faint);
            canvas.Line(left + (i * cell), top, left + (i * cell), top + side, ChartCanvas.Faint);
        }

        return canvas.ToImage();
    }

    private static void DrawCell(ChartCanvas canvas, ConfusionMatrix matrix, int label, int predicted, float x, float y, float cell)
    {
        var count = matrix[label, predicted];
        if (count == 0)
        {
            return;
        }

        // The eye judges area by its root: rare mistakes stay visible.
        var share = MathF.Sqrt((float)count / matrix.Classes[label].Support);
        var color = label == predicted ? Right : Wrong;
        canvas.Box(x, y, cell, cell, Blend(color, share));
        var text = count.ToString(CultureInfo.InvariantCulture);
        canvas.Text(text, x + (cell / 2), y + (cell / 2), NumberSize(cell, text.Length), SKTextAlign.Center, share > 0.6f ? SKColors.White : ChartCanvas.Ink);
    }

    // A digit is about 0.6 of the size wide: the number fits its cell also where 60 classes are shown.
    private static float NumberSize(float cell, int digits) => Math.Clamp(Math.Min(cell * 0.6f, cell * 0.9f / (0.6f * digits)), 7, 20);

    // The classes with most mistakes, as truth or as prediction, in the order of the labels.
    private static int[] Shown(ConfusionMatrix matrix)
    {
        var all = Enumerable.Range(0, matrix.Labels.Count).ToArray();
        return all.Length <= MostShown
            ? all
            : [.. all.OrderByDescending(c => matrix.Classes[c].Support + matrix.Classes[c].Predicted - (2 * matrix[c, c])).Take(MostShown).Order()];
    }

    private static string Title(ConfusionMatrix matrix, int shown) =>
        shown == matrix.Labels.Count ? "Confusion matrix" : $"Confusion matrix: the {shown} of {matrix.Labels.Count} classes with most mistakes";

    private static SKColor Blend(SKColor color, float share)
    {
        byte Mix(byte channel) => (byte)Math.Round(255 + ((channel - 255) * share));
        return new(Mix(color.Red), Mix(color.Green), Mix(color.Blue));
    }
}
