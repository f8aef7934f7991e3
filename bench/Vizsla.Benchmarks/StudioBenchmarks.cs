using System.Globalization;
using Microsoft.Playwright;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Studio;

namespace Vizsla.Benchmarks;

/// <summary>From the start of a navigation to what a page of the studio is opened for, in a browser, with many runs and many photos.</summary>
internal static class StudioBenchmarks
{
    private const int RowCount = 200;
    private const int ClassCount = 100;
    private const int Repeats = 5;
    private const double Mebibyte = 1 << 20;

    // The time from the start of the navigation to the next frame, in milliseconds.
    private const string Now = "() => new Promise(done => requestAnimationFrame(() => done(performance.now())))";

    private static readonly (string Path, string Shown)[] Pages =
    [
        ("/", ".start-card"), ("/transforms", "#controls"), ("/predict", ".empty-state"), ("/runs", "#run-table a"), ("/runs?run=", "#run-table a"), ("/runs/run-0007", "#step-table"),
        ("/data", "#samples button"), ("/data?page=150&q=photo", "#samples button"),
    ];

    /// <summary>First and further openings of each page, and the memory of the process that serves them.</summary>
    /// <param name="args">Numbers of runs and of photos; 1000 and 10000 if there are none.</param>
    public static void Open(string[] args)
    {
        var folder = Directory.CreateTempSubdirectory("vizsla-bench-").FullName;
        try
        {
            var (runs, photos) = (Count(args, 0, 1000), Count(args, 1, 10000));
            WriteRuns(Path.Combine(folder, "runs"), runs);
            WritePhotos(Path.Combine(folder, "photos"), photos);
            Console.WriteLine($"{runs} runs of {RowCount} rows, {photos} photos of {ClassCount} classes");
            OpenAsync(new StudioOptions { Runs = Path.Combine(folder, "runs"), Dataset = Path.Combine(folder, "photos") }).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task OpenAsync(StudioOptions options)
    {
        options.Host.Port = 0;
        await using var studio = StudioApplication.Create(options);
        await studio.StartAsync();
        var address = new Uri(studio.Urls.First());
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--no-first-run"] });
        await using var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = 1280, Height = 860 } });
        var page = await context.NewPageAsync();
        foreach (var (path, shown) in Pages)
        {
            var times = new List<double>();
            for (var i = 0; i <= Repeats; i++)
            {
                await page.GotoAsync(new Uri(address, path).ToString());
                await page.Locator(shown).First.WaitForAsync();
                times.Add(await page.EvaluateAsync<double>(Now));
            }

            var first = times[0];
            times.RemoveAt(0);
            times.Sort();
            Console.WriteLine($"{path,-28} {first,6:F0} ms the first time, {times[times.Count / 2],6:F0} ms median, {times[^1],6:F0} ms slowest of {times.Count}");
        }

        Console.WriteLine($"Memory of the server: {Environment.WorkingSet / Mebibyte:F0} MiB");
    }

    private static void WriteRuns(string folder, int count)
    {
        for (var run = 0; run < count; run++)
        {
            var path = Directory.CreateDirectory(Path.Combine(folder, $"run-{run:0000}")).FullName;
            var begin = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddHours(run);
            using var events = new StreamWriter(Path.Combine(path, "events.jsonl"));
            events.WriteLine($$"""{"event": "train_begin", "time": "{{begin:O}}", "step": 0, "max_steps": {{RowCount * 10}}}""");
            for (var row = 1; row <= RowCount; row++)
            {
                var values = FormattableString.Invariant($"\"loss\": {3.0 / row}, \"learning_rate\": {1e-5 * (RowCount - row)}, \"grad_norm\": 1.5{(row % 10 == 0 ? FormattableString.Invariant($", \"eval_loss\": {3.5 / row}, \"eval_accuracy\": {1 - (1.0 / row)}") : "")}");
                events.WriteLine($"{{\"event\": \"log\", \"time\": \"{begin.AddSeconds(row):O}\", \"step\": {row * 10}, \"epoch\": {(row / 20.0).ToString(CultureInfo.InvariantCulture)}, \"values\": {{{values}}}}}");
            }

            events.WriteLine($$"""{"event": "train_end", "time": "{{begin.AddSeconds(RowCount):O}}", "step": {{RowCount * 10}}}""");
            File.WriteAllText(Path.Combine(path, "training_args.json"), $$$"""{"arguments": {"learning_rate": {{{(run % 5) + 1}}}e-05, "seed": {{{run % 7}}}, "num_train_epochs": 10.0}, "dataset": "photos", "job": {"model": "google/vit-base-patch16-224"}}""");
        }
    }

    private static void WritePhotos(string folder, int count)
    {
        using var image = AnimalPainter.Paint(AnimalPainter.Classes[0], 96, new Rng(3));
        using var memory = new MemoryStream();
        ImageCodec.SaveJpeg(image, memory);
        for (var photo = 0; photo < count; photo++)
        {
            var path = Path.Combine(folder, "train", $"class-{photo % ClassCount:000}", $"photo-{photo:00000}.jpg");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, memory.ToArray());
        }
    }

    private static int Count(string[] args, int place, int usual) => args.Length > place ? int.Parse(args[place], CultureInfo.InvariantCulture) : usual;
}
