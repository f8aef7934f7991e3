using System.Globalization;
using SkiaSharp;
using Vizsla.Imaging;
using Vizsla.Runs.Charts;

namespace Vizsla.Cli.Jobs;

/// <summary>What mattered in a search: a panel for each argument, a dot for each trial, the argument that explains most first.</summary>
internal static class TuningPlot
{
    private const int PanelWidth = 560;
    private const int PanelHeight = 340;
    private const int Columns = 2;
    private const float Left = 90;
    private const float Right = 24;
    private const float Top = 60;
    private const float Bottom = 60;
    private const float TitleSize = 20;
    private const float TextSize = 15;
    private static readonly SKColor Mark = new(0, 90, 150);

    /// <summary>Draws the panels.</summary>
    /// <param name="space">The arguments.</param>
    /// <param name="trials">Trials with results.</param>
    /// <param name="metric">Name of the result.</param>
    /// <returns>The picture; the caller owns it.</returns>
    public static Image Draw(IReadOnlyList<TuningArgument> space, IReadOnlyList<Trial> trials, string metric)
    {
        var panels = space.Select((argument, i) =>
        {
            IReadOnlyList<(string Value, double Result)> dots = [.. trials.Select(t => (t.Values[i], t.Result!.Value))];
            return (Argument: argument, Dots: dots, Explained: TuningPlan.Explained(argument, dots));
        }).OrderByDescending(p => p.Explained).ToList();
        var columns = Math.Min(Columns, panels.Count);
        using var canvas = new ChartCanvas(columns * PanelWidth, (panels.Count + columns - 1) / columns * PanelHeight);
        foreach (var (i, (argument, dots, explained)) in panels.Index())
        {
            Panel(canvas, i % columns * PanelWidth, i / columns * PanelHeight, argument, dots, $"{argument.Name}: explains {explained.ToString("P0", CultureInfo.InvariantCulture)}", metric);
        }

        return canvas.ToImage();
    }

    private static void Panel(ChartCanvas canvas, float x, float y, TuningArgument argument, IReadOnlyList<(string Value, double Result)> dots, string title, string metric)
    {
        var (left, right, top, bottom) = (x + Left, x + PanelWidth - Right, y + Top, y + PanelHeight - Bottom);
        canvas.Text(ChartCanvas.Fit(title, PanelWidth - 40, TitleSize), x + 20, y + 28, TitleSize, SKTextAlign.Left);
        var vertical = ChartAxis.Fit(dots.Select(d => d.Result), bottom, top, 5);
        foreach (var tick in vertical.Ticks)
        {
            canvas.Line(left, vertical.Pixel(tick), right, vertical.Pixel(tick), ChartCanvas.Faint);
            canvas.Text(vertical.Label(tick), left - 8, vertical.Pixel(tick), TextSize, SKTextAlign.Right);
        }

        canvas.Text(metric, x + 16, (top + bottom) / 2, TextSize, SKTextAlign.Center, isUpright: true);
        Func<string, float> place = argument.IsRange ? Scale(canvas, argument, left, right, bottom) : Places(canvas, argument, left, right, bottom);
        foreach (var (value, result) in dots)
        {
            canvas.Dot(place(value), vertical.Pixel(result), 4.5f, Mark);
        }
    }

    private static Func<string, float> Places(ChartCanvas canvas, TuningArgument argument, float left, float right, float bottom)
    {
        var width = (right - left) / argument.Values.Count;
        float At(string value) => left + (width * (argument.Values.ToList().IndexOf(value) + 0.5f));
        foreach (var value in argument.Values)
        {
            canvas.Text(ChartCanvas.Fit(value, width - 6, TextSize), At(value), bottom + 20, TextSize, SKTextAlign.Center);
        }

        return At;
    }

    private static Func<string, float> Scale(ChartCanvas canvas, TuningArgument argument, float left, float right, float bottom)
    {
        double Placed(double value) => argument.IsLogarithmic ? Math.Log10(value) : value;
        var axis = ChartAxis.Fit([Placed(argument.Low), Placed(argument.High)], left, right, 4, isWhole: argument.IsLogarithmic, isRounded: !argument.IsLogarithmic) with { IsPowers = argument.IsLogarithmic };
        foreach (var tick in axis.Ticks)
        {
            canvas.Text(axis.Label(tick), axis.Pixel(tick), bottom + 20, TextSize, SKTextAlign.Center);
        }

        return value => axis.Pixel(Placed(double.Parse(value, CultureInfo.InvariantCulture)));
    }
}
