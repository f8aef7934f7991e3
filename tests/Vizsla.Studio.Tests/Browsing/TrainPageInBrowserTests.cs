using Microsoft.Playwright;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>Trainings started from the page, in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class TrainPageInBrowserTests(BrowserFixture studio) : IClassFixture<BrowserFixture>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1280, false)]
    [InlineData(400, true)]
    public async Task A_training_is_started_by_keyboard_and_a_second_one_waits_and_is_taken_back(int width, bool dark)
    {
        WriteDataset();
        await using var session = await studio.OpenAsync("/train?model=vit-nano&from_scratch=true&image_size=32&per_device_train_batch_size=2", width, dark);
        var page = session.Page;
        var (first, second) = ($"first-{width}", $"second-{width}");
        await FillAsync(page, "Data set", "nowhere");
        await FillAsync(page, "Name of the run", first);
        await page.Locator("#start").PressAsync("Enter");
        await page.Locator("#problems").GetByText("There is no folder 'nowhere' where the studio was started, and a name on the Hub is owner/name.").WaitForAsync();

        await FillAsync(page, "Data set", _folder["photos"]);
        await FillAsync(page, "Further options of vizsla train", "--max_steps 100000 --save_strategy no");
        await page.Locator(".code", new() { HasText = "--max_steps 100000" }).First.WaitForAsync();
        await page.Locator("#problems").WaitForAsync(new() { State = WaitForSelectorState.Detached });
        await page.Locator("#start").PressAsync("Enter");
        var running = page.Locator("#training-queue li", new() { HasText = first });
        await running.Locator(".pill.running").WaitForAsync();
        await FillAsync(page, "Name of the run", second);
        await FillAsync(page, "Further options of vizsla train", "--max_steps 1");
        await page.Locator("#start", new() { HasText = "Add to the queue" }).PressAsync("Enter");
        var waiting = page.Locator("#training-queue li", new() { HasText = second });
        await waiting.GetByText("waiting, number 1").WaitForAsync();

        await page.GetByLabel($"Cancel {second}").PressAsync("Enter");
        await waiting.GetByText("canceled").WaitForAsync();
        await page.Locator("#undo").PressAsync("Enter");
        await waiting.GetByText("waiting, number 1").WaitForAsync();
        await running.GetByText("step ").WaitForAsync();
        Assert.InRange(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), 1, width);
        await page.GetByLabel($"Stop {first}").PressAsync("Enter");
        await running.Locator(".pill.stopped").WaitForAsync(new() { Timeout = 120_000 });
        await waiting.Locator(".pill.done").WaitForAsync(new() { Timeout = 120_000 });

        await waiting.GetByRole(AriaRole.Link, new() { Name = second }).PressAsync("Enter");
        await page.Locator("h1", new() { HasText = second }).WaitForAsync();
        Assert.Empty(session.Problems);
    }

    // The address holds what was typed once the page knows it.
    private static async Task FillAsync(IPage page, string label, string text)
    {
        await page.GetByLabel(label).FillAsync(text);
        await page.WaitForURLAsync(url => Uri.UnescapeDataString(url.Replace('+', ' ')).Contains("=" + text, StringComparison.Ordinal));
    }

    private void WriteDataset()
    {
        foreach (var animal in AnimalPainter.Classes)
        {
            for (ulong i = 0; i < 2; i++)
            {
                using var image = AnimalPainter.Paint(animal, 32, new Rng(i));
                ImageCodec.SavePng(image, _folder.Reserve($"photos/train/{animal}/{i}.png"));
            }
        }
    }
}
