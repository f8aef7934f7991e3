using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Vizsla.Imaging;
using Vizsla.Studio.Datasets;
using Vizsla.Studio.Hosting;
using Vizsla.Studio.Layout;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Reports;
using Vizsla.Studio.Runs;
using Vizsla.Studio.Evaluation;

namespace Vizsla.Studio;

/// <summary>The page of a run as one file that opens without a server.</summary>
public static class RunReport
{
    private const int WorstCount = 24;
    private const int PictureSide = 180;
    private const int JpegQuality = 80;

    // Scripts, styles and curves take about 1.3 MB; pictures in base64 take four bytes for three.
    private const int PictureBudget = 2 << 20;

    /// <summary>Writes the report; a finished model is asked about its evaluation split when its pictures are found.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="dataset">The dataset that the run was trained on; null leaves the predictions out, unless the dataset lies inside the run folder.</param>
    /// <param name="progress">Told pictures done and pictures in all; may be null.</param>
    /// <returns>One HTML document below 5 MB.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder, or it holds no run.</exception>
    public static string Write(string folder, string? dataset = null, Action<int, int>? progress = null)
    {
        var options = new StudioOptions { Runs = folder, Dataset = dataset };
        var runs = new RunLibrary(options, TimeProvider.System);
        var run = Directory.Exists(folder) && runs.Look() is [var only] && runs.Find(only.Name) is { } found
            ? found
            : throw new DirectoryNotFoundException($"'{folder}' is not a run: expected a folder with events.jsonl, training_args.json or trainer_state.json.");
        var library = new DatasetLibrary(options);
        return Write(run, run.HasModel && library.OfRun(run) is not null ? new RunEvaluator(library).Evaluate(run, progress) : null, library);
    }

    /// <summary>Writes the report of what is known.</summary>
    internal static string Write(RunSnapshot run, RunEvaluation? evaluation, DatasetLibrary library)
    {
        var charts = RunCharts.All([(run, Theme.Series[0])], "step", smoothing: 0, logarithmic: false);
        return Page(run, Body(run, charts, evaluation, library), Script(charts, evaluation));
    }

    private static string Body(
        RunSnapshot run, IReadOnlyList<(string Title, Figure Figure)> charts, RunEvaluation? evaluation, DatasetLibrary library)
    {
        var budget = PictureBudget;
        var plots = RunFiles.Plots(run).Select(name => (name, Data: RunFiles.ReadPlot(run, name))).TakeWhile(p => (budget -= p.Data.Length) > 0)
            .Select(p => (p.name, DataAddress("image/png", p.Data))).ToList();
        var parameters = new Dictionary<string, object?>
        {
            [nameof(ReportDocument.Run)] = run,
            [nameof(ReportDocument.Charts)] = charts,
            [nameof(ReportDocument.Evaluation)] = evaluation,
            [nameof(ReportDocument.Worst)] = evaluation?.Worst(WorstCount) ?? [],
            [nameof(ReportDocument.Picture)] = evaluation is null ? null : (Func<int, string>)(row => Thumbnail(library.OfRun(run)![evaluation.Split], row)),
            [nameof(ReportDocument.Plots)] = plots,
        };
        using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        return renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<ReportDocument>(ParameterView.FromDictionary(parameters)).ConfigureAwait(false)).ToHtmlString()).GetAwaiter().GetResult();
    }

    private static string Thumbnail(ImageDataset rows, int row)
    {
        using var image = rows.LoadImage(row);
        using var small = PictureEndpoints.Fit(image, PictureSide);
        using var memory = new MemoryStream();
        ImageCodec.SaveJpeg(small ?? image, memory, JpegQuality);
        return DataAddress("image/jpeg", memory.ToArray());
    }

    private static string Script(IReadOnlyList<(string Title, Figure Figure)> charts, RunEvaluation? evaluation)
    {
        var script = new StringBuilder("const dark=matchMedia('(prefers-color-scheme: dark)').matches;const draw=(id,light,night)=>{const f=dark?night:light;Plotly.react(document.getElementById(id),f.data,f.layout,{responsive:true,displaylogo:false,displayModeBar:false})};\n");
        for (var i = 0; i < charts.Count; i++)
        {
            Draw(string.Create(CultureInfo.InvariantCulture, $"chart-{i}"), charts[i].Figure);
        }

        if (evaluation is not null)
        {
            Draw("calibration", Figure.Calibration(evaluation.Calibration, "confidence", "accuracy"));
        }

        return script.ToString();

        void Draw(string id, Figure figure) =>
            script.Append(CultureInfo.InvariantCulture, $"draw('{id}',{figure.ToJson(dark: false)},{figure.ToJson(dark: true)});\n");
    }

    private static string Page(RunSnapshot run, string body, string script)
    {
        // Only these two scripts run, whatever a card or a name holds. Browsers hash lines that end in a line feed.
        var plotly = EmbeddedAssets.ReadText("_content/Vizsla.Studio/plotly-basic.min.js").ReplaceLineEndings("\n");
        var drawing = script.ReplaceLineEndings("\n");
        return $$"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {{Hash(plotly)}} {{Hash(drawing)}}; style-src 'unsafe-inline'; img-src data: blob:">
        <title>{{System.Net.WebUtility.HtmlEncode(run.Name)}} · Vizsla</title>
        <style>
        :root { {{Theme.Variables(dark: false)}} }
        @media (prefers-color-scheme: dark) { :root { {{Theme.Variables(dark: true)}} } }
        {{EmbeddedAssets.ReadText("_content/Vizsla.Studio/studio.css")}}
        main{display:flex;flex-direction:column;gap:16px}</style>
        </head>
        <body><main>
        {{body}}
        </main>
        <script>{{plotly}}</script>
        <script>{{drawing}}</script>
        </body>
        </html>
        """;
    }

    private static string Hash(string script) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)))}'";

    private static string DataAddress(string type, byte[] data) => $"data:{type};base64,{Convert.ToBase64String(data)}";
}
