using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Vizsla.Datasets.Drawing;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Studio;

namespace Vizsla.Benchmarks;

/// <summary>From a moved slider of the studio to the picture on the screen, in a browser.</summary>
internal static class SliderBenchmarks
{
    private const int Side = 1000;
    private const int MoveCount = 40;

    // Waits for the picture that belongs to the moved slider: loaded, decoded, and one frame drawn.
    private const string Move = """
        async count => {
            const input = document.querySelector("#controls input[type=range]"), picture = document.querySelector("#after"), times = [];
            const low = Number(input.min), step = Number(input.step), places = Math.max(2, Math.round((Number(input.max) - low) / step));
            for (let i = 0; i < count; i++) {
                let next = low + step * ((i * 7 + 1) % places);
                if (Number(input.value) === next) next += step;
                const loaded = new Promise(done => picture.addEventListener("load", done, { once: true }));
                const start = performance.now();
                input.value = next;
                input.dispatchEvent(new Event("input", { bubbles: true }));
                await loaded;
                await picture.decode();
                await new Promise(requestAnimationFrame);
                times.push(performance.now() - start);
            }
            return times;
        }
        """;

    private static readonly string[] _transforms = ["RandomRotation", "GaussianBlur", "ElasticTransform", "RandomPosterize", "RandomAdjustSharpness", "RandomPerspective"];

    /// <summary>Median and slowest of a number of moves, for transforms that cost little and much.</summary>
    /// <param name="args">Names of transforms; some are taken if there are none.</param>
    public static void Slide(string[] args) => SlideAsync(args.Length > 0 ? args : _transforms).GetAwaiter().GetResult();

    private static async Task SlideAsync(string[] transforms)
    {
        var options = new StudioOptions();
        options.Host.Port = 0;
        await using var studio = StudioApplication.Create(options);
        await studio.StartAsync();
        var address = new Uri(studio.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var picture = await UploadAsync(address);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--no-first-run"] });
        var page = await browser.NewPageAsync();
        foreach (var transform in transforms)
        {
            await page.GotoAsync(new Uri(address, $"/transforms?picture={picture}").ToString());
            await page.GetByRole(AriaRole.Button, new() { Name = transform, Exact = true }).ClickAsync();
            await page.Locator("#code pre").Filter(new() { HasText = $"new {transform}(" }).WaitForAsync();
            await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            var times = await page.EvaluateAsync<double[]>(Move, MoveCount);
            Array.Sort(times);
            Console.WriteLine($"{transform,-24} {times[times.Length / 2],6:F0} ms median, {times[^1],6:F0} ms slowest of {times.Length}");
        }
    }

    private static async Task<string> UploadAsync(Uri address)
    {
        using var image = AnimalPainter.Paint("rabbit", Side, new Rng(3));
        using var memory = new MemoryStream();
        ImageCodec.SaveJpeg(image, memory);
        using var client = new HttpClient { BaseAddress = address };
        using var answer = await client.PostAsync("/pictures", new ByteArrayContent(memory.ToArray()));
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
    }
}
