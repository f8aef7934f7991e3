using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>The pages beside a training in a process of its own.</summary>
[Trait("Category", "Slow")]
public sealed class TrainingInBrowserTests(BrowserFixture studio) : IClassFixture<BrowserFixture>, IDisposable
{
    private const int StepCount = 30;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_training_in_another_process_is_followed_to_its_end()
    {
        await using var session = await studio.OpenAsync("/runs");
        var page = session.Page;
        WriteDataset();
        using var training = Train("watched", ["--max_steps", $"{StepCount}"]);
        try
        {
            // Held for a moment, so that the page finds it in the middle however fast the machine is.
            await RowsAsync("watched", atLeast: 3);
            await SignalAsync(training, "STOP");
            var written = Rows("watched");
            await page.Locator("tr", new() { HasText = "watched" }).Locator(".pill.running").WaitForAsync();
            await page.GotoAsync(new Uri(new Uri(page.Url), "/runs/watched").ToString());
            await page.Locator(".pill.running").WaitForAsync();
            await page.GetByText($"{written} of {StepCount}").First.WaitForAsync();

            await SignalAsync(training, "CONT");
            await page.Locator(".pill.done").WaitForAsync(new() { Timeout = 240_000 });
        }
        finally
        {
            training.Kill();
        }

        await page.GetByText($"{StepCount} of {StepCount}").First.WaitForAsync();
        Assert.Equal(StepCount, Rows("watched"));
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task A_pipeline_that_was_built_and_saved_is_the_one_that_a_training_uses()
    {
        await using var session = await studio.OpenAsync("""/transforms?view=pipeline&pipeline=[{"transform":"Resize","size":[32,32]}]""");
        var page = session.Page;
        await page.GetByLabel("Add a step").SelectOptionAsync("RandomHorizontalFlip");
        await page.Locator("[data-path='1']").WaitForAsync();
        await page.GetByLabel("Put RandomHorizontalFlip into a RandomApply").ClickAsync();
        await page.Locator("[data-path='1.0']").WaitForAsync();
        await page.GetByLabel("Add a step").SelectOptionAsync("ToTensor");
        await page.Locator("[data-path='2']").WaitForAsync();
        var download = await page.RunAndWaitForDownloadAsync(() => page.Locator("#save").ClickAsync());
        var file = _folder["pipeline.json"];
        await download.SaveAsAsync(file);
        WriteDataset();

        using var training = Train("built", ["--max_steps", "2", "--transforms", file]);
        await training.WaitForExitAsync();

        Assert.Equal(0, training.ExitCode);
        var used = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(studio.Runs, "built", "training_args.json")))!["data"]!["train"]!["transform"]!;
        Assert.Equal(new Compose(new Resize((32, 32)), new RandomApply([new RandomHorizontalFlip()]), new ToTensor()).ToString(), used.GetValue<string>());
    }

    /// <summary>Starts a training of a small network.</summary>
    private Process Train(string run, IEnumerable<string> more)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll"), "train", "--dataset", _folder["photos"], "--model", "vit-nano", "--from_scratch", "--image_size", "32",
            "--output", Path.Combine(studio.Runs, run), "--logging_steps", "1", "--per_device_train_batch_size", "2", "--save_strategy", "no", "--log_format", "json", .. more,
        ]) { RedirectStandardOutput = true })!;
        process.BeginOutputReadLine();
        return process;
    }

    private void WriteDataset()
    {
        foreach (var animal in AnimalPainter.Classes)
        {
            for (ulong i = 0; i < 4; i++)
            {
                using var image = AnimalPainter.Paint(animal, 32, new Rng(i));
                ImageCodec.SavePng(image, _folder.Reserve($"photos/train/{animal}/{i}.png"));
            }
        }
    }

    /// <summary>Waits until a run has that many rows.</summary>
    private async Task RowsAsync(string run, int atLeast)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (Rows(run) < atLeast)
        {
            await timer.WaitForNextTickAsync();
        }
    }

    private int Rows(string run)
    {
        var path = Path.Combine(studio.Runs, run, "events.jsonl");
        if (!File.Exists(path))
        {
            return 0;
        }

        using var file = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return file.ReadToEnd().Split('\n').Count(line => line.Contains("\"loss\"", StringComparison.Ordinal) && line.EndsWith('}'));
    }

    private static async Task SignalAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
