using System.Globalization;
using SkiaSharp;
using Vizsla.Datasets.Statistics;
using Vizsla.Imaging;

namespace Vizsla.Runs.Charts;

/// <summary>The pictures of each class, a part of the bar for each split, beside the sizes of the pictures.</summary>
internal static class DatasetPlot
{
    private const int MostClasses = 60;
    private const int Width = 1500;
    private const float BarsRight = 860;
    private const float SizesLeft = 990;
    private const float SizesSide = 440;
    private const float Top = 110;
    private const float Row = 26;
    private const float Bottom = 80;
    private const float TitleSize = 26;
    private const float TextSize = 17;
    private const float MostLabelWidth = 300;
    private const float LeastHeight = Top + SizesSide + 250;

    private static readonly SKColor[] s_colors = [new(0, 114, 178), new(230, 159, 0), new(0, 158, 115), new(204, 121, 167), new(86, 180, 233)];

    /// <summary>Draws the statistics of a dataset; of many classes the largest and the smallest.</summary>
    /// <param name="statistics">What was measured.</param>
    /// <returns>The picture; the caller owns it.</returns>
    public static Image Draw(DatasetStatistics statistics)
    {
        var classes = ClassesOf(statistics);
        var shown = classes.Count <= MostClasses ? classes : [.. classes.Take(MostClasses / 2), .. classes.TakeLast(MostClasses / 2)];
        using var canvas = new ChartCanvas(Width, (int)Math.Max(LeastHeight, Top + (Row * shown.Count) + Bottom));
        canvas.Text(shown.Count == classes.Count ? "Pictures of each class" : $"Pictures of the largest and smallest of {classes.Count} classes", 24, 34, TitleSize, SKTextAlign.Left);
        DrawLegend(canvas, statistics);
        DrawClasses(canvas, shown);
        DrawSizes(canvas, statistics);
        DrawFormats(canvas, statistics);
        return canvas.ToImage();
    }

    private static SKColor Color(int split) => s_colors[split % s_colors.Length];

    // Without classes each split is a bar of its own.
    private static List<(string Name, int[] Counts)> ClassesOf(DatasetStatistics statistics)
    {
        var splits = statistics.Splits;
        var names = splits.SelectMany(s => s.Classes.Select(c => c.Key)).Distinct().ToList();
        var all = names.Count == 0
            ? splits.Select((s, i) => (Name: s.Split, Counts: splits.Select((_, j) => i == j ? s.Count : 0).ToArray()))
            : names.Select(name => (Name: name, Counts: splits.Select(s => s.Classes.FirstOrDefault(c => c.Key == name).Value).ToArray()));
        return [.. all.OrderByDescending(c => c.Counts.Sum()).ThenBy(c => c.Name, StringComparer.Ordinal)];
    }

    private static void DrawLegend(ChartCanvas canvas, DatasetStatistics statistics)
    {
        var left = 24f;
        foreach (var (i, split) in statistics.Splits.Index())
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{split.Split} {split.Count}");
            canvas.Box(left, 62, 22, 18, Color(i));
            canvas.Text(text, left + 30, 71, TextSize, SKTextAlign.Left);
            left += 54 + ChartCanvas.Measure(text, TextSize);
        }
    }

    private static void DrawClasses(ChartCanvas canvas, List<(string Name, int[] Counts)> shown)
    {
        var labelWidth = Math.Min(MostLabelWidth, shown.Select(c => ChartCanvas.Measure(c.Name, TextSize)).DefaultIfEmpty(0).Max());
        var left = labelWidth + 36;
        var bottom = Top + (Row * shown.Count);
        var x = ChartAxis.Fit(shown.Select(c => (double)c.Counts.Sum()).Append(0), left, BarsRight, 5, isWhole: true);
        foreach (var tick in x.Ticks)
        {
            canvas.Line(x.Pixel(tick), Top, x.Pixel(tick), bottom, ChartCanvas.Faint);
            canvas.Text(x.Label(tick), x.Pixel(tick), bottom + 20, TextSize, SKTextAlign.Center);
        }

        foreach (var (i, (name, counts)) in shown.Index())
        {
            var middle = Top + (Row * (i + 0.5f));
            canvas.Text(ChartCanvas.Fit(name, labelWidth, TextSize), left - 12, middle, TextSize, SKTextAlign.Right);
            var before = 0;
            foreach (var (split, count) in counts.Index())
            {
                var (from, to) = (x.Pixel(before), x.Pixel(before + count));
                canvas.Box(from, middle - (Row * 0.36f), to - from, Row * 0.72f, Color(split));
                before += count;
            }

            canvas.Text(before.ToString(CultureInfo.InvariantCulture), x.Pixel(before) + 8, middle, TextSize, SKTextAlign.Left);
        }

        canvas.Line(left, Top, left, bottom, ChartCanvas.Ink, 1.5f);
    }

    private static void DrawSizes(ChartCanvas canvas, DatasetStatistics statistics)
    {
        canvas.Text("Sizes in pixels", SizesLeft - 60, 34, TitleSize, SKTextAlign.Left);
        var longest = statistics.Splits.SelectMany(s => s.Sizes).Select(s => (double)Math.Max(s.Key.Width, s.Key.Height)).Append(0).ToList();
        var x = ChartAxis.Fit(longest, SizesLeft, SizesLeft + SizesSide, 5, isWhole: true);
        var y = x with { Start = Top + SizesSide, End = Top };
        foreach (var tick in x.Ticks)
        {
            canvas.Line(x.Pixel(tick), Top, x.Pixel(tick), Top + SizesSide, ChartCanvas.Faint);
            canvas.Line(SizesLeft, y.Pixel(tick), SizesLeft + SizesSide, y.Pixel(tick), ChartCanvas.Faint);
            canvas.Text(x.Label(tick), x.Pixel(tick), Top + SizesSide + 20, TextSize, SKTextAlign.Center);
            canvas.Text(y.Label(tick), SizesLeft - 10, y.Pixel(tick), TextSize, SKTextAlign.Right);
        }

        canvas.Text("width", SizesLeft + (SizesSide / 2), Top + SizesSide + 46, TextSize, SKTextAlign.Center);
        canvas.Text("height", SizesLeft - 72, Top + (SizesSide / 2), TextSize, SKTextAlign.Center, isUpright: true);

        // A dot's area grows with the pictures of that size, within reason.
        foreach (var (i, split) in statistics.Splits.Index())
        {
            foreach (var ((width, height), count) in split.Sizes)
            {
                canvas.Dot(x.Pixel(width), y.Pixel(height), (float)Math.Min(14, 2.5 * Math.Pow(count, 0.25)), Color(i).WithAlpha(150));
            }
        }
    }

    private static void DrawFormats(ChartCanvas canvas, DatasetStatistics statistics)
    {
        const int MostFormats = 6;
        var formats = statistics.Splits.SelectMany(s => s.Formats).GroupBy(f => f.Key, f => f.Value).Select(g => (Name: g.Key, Count: g.Sum())).OrderByDescending(f => f.Count).ToList();
        var unreadable = statistics.Splits.Sum(s => s.UnreadableCount);
        List<string> lines = [.. formats.Take(MostFormats).Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Name}: {f.Count}"))];
        if (formats.Count > MostFormats)
        {
            lines.Add($"{formats.Count - MostFormats} other formats");
        }

        if (unreadable > 0)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"cannot be read: {unreadable}"));
        }

        foreach (var (i, line) in lines.Index())
        {
            canvas.Text(line, SizesLeft - 60, Top + SizesSide + 84 + (22 * i), TextSize, SKTextAlign.Left);
        }
    }
}
