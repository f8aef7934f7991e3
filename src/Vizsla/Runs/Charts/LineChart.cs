using SkiaSharp;
using Vizsla.Imaging;

namespace Vizsla.Runs.Charts;

/// <summary>A chart of curves over the steps of a run.</summary>
internal static class LineChart
{
    private const int Width = 1200;
    private const int Height = 675;
    private const float Left = 110;
    private const float Right = 40;
    private const float Top = 100;
    private const float Bottom = 90;
    private const float TitleSize = 26;
    private const float TextSize = 19;
    private const int MostDots = 60;

    // Okabe and Ito's colors, which color-blind readers tell apart.
    private static readonly SKColor[] Colors =
        [new(0, 114, 178), new(213, 94, 0), new(0, 158, 115), new(204, 121, 167), new(230, 159, 0), new(86, 180, 233), new(90, 90, 90)];

    /// <summary>Draws curves.</summary>
    /// <param name="title">What is shown.</param>
    /// <param name="unit">Unit of the values; null for none.</param>
    /// <param name="curves">The curves; points that are not finite leave a gap.</param>
    /// <param name="mark">A step to mark, with its text; null marks none.</param>
    /// <param name="powersOf">What steps are powers of ten of; null where they are steps.</param>
    /// <returns>The picture; the caller owns it.</returns>
    public static Image Draw(string title, string? unit, IReadOnlyList<ChartCurve> curves, (double Step, string Text)? mark = null, string? powersOf = null)
    {
        using var canvas = new ChartCanvas(Width, Height);
        var points = curves.SelectMany(c => c.Points).ToArray();
        var x = ChartAxis.Fit(points.Select(p => p.Step), Left, Width - Right, 8, isWhole: true, isRounded: false) with { IsPowers = powersOf is not null };
        var y = ChartAxis.Fit(points.Select(p => p.Value), Height - Bottom, Top, 6);
        canvas.Text(title, Left, 34, TitleSize, SKTextAlign.Left);
        DrawGrid(canvas, x, y, unit, powersOf ?? "Step");
        if (mark is { } marked && marked.Step >= x.Low && marked.Step <= x.High)
        {
            var at = x.Pixel(marked.Step);
            canvas.Line(at, Top, at, Height - Bottom, ChartCanvas.Ink, 1.5f, isDashed: true);
            var onLeft = at > Width / 2;
            canvas.Text(marked.Text, at + (onLeft ? -8 : 8), Top + 12, TextSize, onLeft ? SKTextAlign.Right : SKTextAlign.Left);
        }

        var legend = Left;
        foreach (var (i, curve) in curves.Index())
        {
            var color = Colors[i % Colors.Length];
            DrawCurve(canvas, curve, x, y, color);
            canvas.Line(legend, 72, legend + 26, 72, color, 4);
            canvas.Text(curve.Name, legend + 34, 72, TextSize, SKTextAlign.Left);
            legend += 34 + ChartCanvas.Measure(curve.Name, TextSize) + 30;
        }

        return canvas.ToImage();
    }

    private static void DrawGrid(ChartCanvas canvas, ChartAxis x, ChartAxis y, string? unit, string below)
    {
        foreach (var tick in y.Ticks)
        {
            canvas.Line(Left, y.Pixel(tick), Width - Right, y.Pixel(tick), ChartCanvas.Faint);
            canvas.Text(y.Label(tick), Left - 12, y.Pixel(tick), TextSize, SKTextAlign.Right);
        }

        foreach (var tick in x.Ticks)
        {
            canvas.Line(x.Pixel(tick), Top, x.Pixel(tick), Height - Bottom, ChartCanvas.Faint);
            canvas.Text(x.Label(tick), x.Pixel(tick), Height - Bottom + 22, TextSize, SKTextAlign.Center);
        }

        canvas.Line(Left, Height - Bottom, Width - Right, Height - Bottom, ChartCanvas.Ink, 1.5f);
        canvas.Line(Left, Top, Left, Height - Bottom, ChartCanvas.Ink, 1.5f);
        canvas.Text(below, (Left + Width - Right) / 2, Height - 30, TextSize, SKTextAlign.Center);
        if (unit is not null)
        {
            canvas.Text(unit, 24, (Top + Height - Bottom) / 2, TextSize, SKTextAlign.Center, isUpright: true);
        }
    }

    private static void DrawCurve(ChartCanvas canvas, ChartCurve curve, ChartAxis x, ChartAxis y, SKColor color)
    {
        var run = new List<SKPoint>();
        foreach (var (step, value) in curve.Points)
        {
            if (double.IsFinite(value))
            {
                run.Add(new(x.Pixel(step), y.Pixel(value)));
            }
            else
            {
                DrawRun(canvas, run, color);
                run.Clear();
            }
        }

        DrawRun(canvas, run, color);
        if (curve.Points.Count <= MostDots)
        {
            foreach (var (step, value) in curve.Points.Where(p => double.IsFinite(p.Value)))
            {
                canvas.Dot(x.Pixel(step), y.Pixel(value), 4.5f, color);
            }
        }
    }

    private static void DrawRun(ChartCanvas canvas, List<SKPoint> points, SKColor color)
    {
        if (points.Count > 1)
        {
            canvas.Curve(points, color, 2.5f);
        }
    }
}

/// <summary>One curve of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">Step and value, by step.</param>
internal sealed record ChartCurve(string Name, IReadOnlyList<(double Step, double Value)> Points);
