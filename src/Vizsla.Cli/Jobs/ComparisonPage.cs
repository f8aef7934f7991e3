using System.Globalization;
using System.Net;
using System.Text;
using Vizsla.Analysis;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Cli.Jobs;

/// <summary>What a model says of the pictures of a split.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Right">Whether it names each picture right.</param>
/// <param name="Predicted">The class that it names.</param>
internal sealed record ModelAnswers(string Model, bool[] Right, string[] Predicted)
{
    public double Accuracy => Right.Count(r => r) / (double)Right.Length;

    public (double Low, double High) Interval => Intervals.Wilson(Right.Count(r => r), Right.Length);
}

/// <summary>A model beside the first.</summary>
/// <param name="Test">Pictures that it alone names right, and how likely such a difference is by chance.</param>
/// <param name="Difference">Its accuracy less that of the first.</param>
/// <param name="Interval">The 95 % interval of the difference.</param>
internal sealed record ModelContest(McNemar Test, double Difference, (double Low, double High) Interval)
{
    private const ulong Seed = 0;

    public static ModelContest Of(ModelAnswers model, ModelAnswers first)
    {
        var test = McNemar.Of(model.Right, first.Right);
        return new(test, (test.OnlyFirst - test.OnlySecond) / (double)model.Right.Length, Intervals.Bootstrap(model.Right, first.Right, new Rng(Seed)));
    }
}

/// <summary>A comparison of models as one HTML file that needs nothing beside it: accuracies with their intervals, and the pictures that only one of two models names right.</summary>
internal sealed class ComparisonPage
{
    private const int Side = 128;
    private const int MostPictures = 60;
    private const int PlotWidth = 360;

    private static readonly string s_style =
        """
        :root { color-scheme: light dark; --line: #d0d7de; --soft: #59636e; --mark: #1f6feb; }
        @media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #9198a1; --mark: #58a6ff; } }
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; white-space: nowrap; }
        td.number, th:not(:first-child):not(:nth-child(4)) { text-align: right; }
        p, figcaption { color: var(--soft); }
        .pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
        figure { margin: 0; width: 128px; }
        figure img { border-radius: 4px; height: 128px; object-fit: contain; width: 128px; }
        figcaption { font-size: .8rem; overflow-wrap: anywhere; }
        """;

    private readonly StringBuilder _html = new();
    private readonly ImageDataset _split;

    private ComparisonPage(ImageDataset split) => _split = split;

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <param name="path">The HTML file.</param>
    /// <param name="answers">What each model says; the first is what the others are compared with.</param>
    /// <param name="split">The pictures.</param>
    /// <param name="name">The split's name.</param>
    public static void Write(string path, IReadOnlyList<ModelAnswers> answers, ImageDataset split, string name)
    {
        var page = new ComparisonPage(split);
        page.Begin(answers[0], name);
        page.Models(answers);
        foreach (var other in answers.Skip(1))
        {
            page.Pictures($"Won by {other.Model}", other, answers[0]);
            page.Pictures($"Lost by {other.Model}", answers[0], other);
        }

        page._html.Append("</main>\n</body>\n</html>\n");
        AtomicFile.Write(path, page._html.ToString());
    }

    private void Begin(ModelAnswers first, string name) => _html.Append(
        CultureInfo.InvariantCulture,
        $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
        <title>Comparison with {Text(first.Model)} · Vizsla</title>
        <style>
        {s_style}
        </style>
        </head>
        <body>
        <main>
        <h1>Comparison with {Text(first.Model)}</h1>
        <p>On the {Wording.Counted(_split.Count, "picture")} of “{Text(name)}”. Intervals hold 95 %. p: how often models that are equally good differ as much (McNemar's exact test on the pictures that only one of two models names right).</p>

        """);

    private void Models(IReadOnlyList<ModelAnswers> answers)
    {
        var low = answers.Min(a => a.Interval.Low);
        var high = answers.Max(a => a.Interval.High);
        _html.Append("<div class=\"scroll\"><table>\n<thead><tr><th>Model</th><th>Accuracy</th><th>95 %</th><th>Interval</th><th>Difference</th><th>95 % of it</th><th>Won</th><th>Lost</th><th>p</th></tr></thead>\n<tbody>\n");
        foreach (var model in answers)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(model.Model)}</td>");
            Number(Invariant($"{model.Accuracy:0.0000}"), Invariant($"{model.Interval.Low:0.000} to {model.Interval.High:0.000}"));
            _html.Append(CultureInfo.InvariantCulture, $"<td>{Bar(model, low, high)}</td>");
            if (model == answers[0])
            {
                Number("", "", "", "", "");
            }
            else
            {
                var (test, difference, (least, most)) = ModelContest.Of(model, answers[0]);
                Number(
                    Invariant($"{difference:+0.0000;-0.0000;0}"), Invariant($"{least:+0.000;-0.000;0} to {most:+0.000;-0.000;0}"), Invariant($"{test.OnlyFirst}"), Invariant($"{test.OnlySecond}"),
                    Invariant($"{test.ExactP:0.0000}"));
            }

            _html.Append("</tr>\n");
        }

        _html.Append("</tbody></table></div>\n");
    }

    private void Number(params ReadOnlySpan<string> cells)
    {
        foreach (var cell in cells)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<td class=\"number\">{Text(cell)}</td>");
        }
    }

    private void Pictures(string title, ModelAnswers right, ModelAnswers wrong)
    {
        var rows = Enumerable.Range(0, _split.Count).Where(row => right.Right[row] && !wrong.Right[row]).ToList();
        _html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(title)}: {rows.Count}</h2>\n");
        if (rows.Count > MostPictures)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<p>The first {MostPictures} of them; <code>--format json</code> lists all.</p>\n");
        }

        _html.Append("<div class=\"pictures\">\n");
        foreach (var row in rows.Take(MostPictures))
        {
            _html.Append(
                CultureInfo.InvariantCulture,
                $"""
                <figure><img src="data:image/jpeg;base64,{Thumbnail(row)}" alt="{Text(NameOf(row))}">
                <figcaption>{Text(NameOf(row))}<br><b>{Text(right.Predicted[row])}</b>, not {Text(wrong.Predicted[row])}</figcaption></figure>

                """);
        }

        _html.Append("</div>\n");
    }

    // The page is sent to others, whom the folders of this machine do not concern.
    private string NameOf(int row) => Path.GetFileName(_split[row].Name);

    private string Thumbnail(int row)
    {
        using var whole = _split.LoadImage(row);
        var scale = Side / (double)Math.Max(whole.Width, whole.Height);
        using var small = scale >= 1 ? whole.Clone() : Resampler.Resize(whole, Math.Max(1, (int)(whole.Width * scale)), Math.Max(1, (int)(whole.Height * scale)), Interpolation.Bilinear);
        using var stream = new MemoryStream();
        ImageCodec.SaveJpeg(small, stream);
        return Convert.ToBase64String(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    private static string Bar(ModelAnswers model, double low, double high)
    {
        double At(double value) => high > low ? 4 + ((PlotWidth - 8) * (value - low) / (high - low)) : PlotWidth / 2.0;
        return Invariant(
            $"<svg width=\"{PlotWidth}\" height=\"16\" role=\"img\" aria-label=\"{model.Interval.Low:0.000} to {model.Interval.High:0.000}\"><line x1=\"{At(model.Interval.Low):0.#}\" x2=\"{At(model.Interval.High):0.#}\" y1=\"8\" y2=\"8\" stroke=\"var(--mark)\" stroke-width=\"2\"/><circle cx=\"{At(model.Accuracy):0.#}\" cy=\"8\" r=\"4\" fill=\"var(--mark)\"/></svg>");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
