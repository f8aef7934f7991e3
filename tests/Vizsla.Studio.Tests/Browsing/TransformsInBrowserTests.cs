using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>The page of transforms in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class TransformsInBrowserTests(BrowserFixture studio) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task A_moved_slider_changes_the_picture_to_the_library_s_own_and_the_code_with_it()
    {
        await using var session = await studio.OpenAsync("/transforms");
        var page = session.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "RandomPosterize", Exact = true }).ClickAsync();
        await page.Locator("#code pre").Filter(new() { HasText = "new RandomPosterize(4)" }).WaitForAsync();

        await page.Locator("[data-parameter=bits] input[type=range]").FillAsync("2");
        await page.Locator("#code pre").Filter(new() { HasText = "new RandomPosterize(2)" }).WaitForAsync();

        using var shown = ImageCodec.Decode(await studio.ReadAsync(await ShownAsync(page, "bits%22%3A2")));
        using var sample = ImageCodec.Decode(await studio.ReadAsync("/_content/Vizsla.Studio/sample.jpg"));
        using var expected = new RandomPosterize(2).Apply(sample, new Rng(13));
        Assert.True(expected.Pixels.SequenceEqual(shown.Pixels));
    }

    [Fact]
    public async Task A_value_that_cannot_be_is_refused_in_the_transform_s_own_words()
    {
        await using var session = await studio.OpenAsync("/transforms");
        var page = session.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "RandomPosterize", Exact = true }).ClickAsync();

        await page.Locator("[data-parameter=bits] input.input").FillAsync("9");
        await page.Keyboard.PressAsync("Tab");

        await page.Locator("#controls").GetByText("bits is 9, expected 1 to 8", new() { Exact = false }).WaitForAsync();
    }

    [Fact]
    public async Task A_link_gives_the_same_view()
    {
        await using var session = await studio.OpenAsync("""/transforms?pipeline=[{"transform":"RandomSolarize","threshold":90.0,"p":1.0}]&seed=42""");

        await session.Page.Locator("#code pre").Filter(new() { HasText = "RandomSolarize(90, 1)" }).WaitForAsync();
        Assert.Equal("42", await session.Page.Locator("#seed").InputValueAsync());
    }

    [Fact]
    public async Task A_pipeline_is_built_nested_moved_by_keyboard_and_saved()
    {
        await using var session = await studio.OpenAsync("""/transforms?view=pipeline&pipeline=[{"transform":"Resize","size":[64,64]}]""");
        var page = session.Page;
        await page.GetByLabel("Add a step").SelectOptionAsync("Grayscale");
        await page.Locator("[data-path='1']").WaitForAsync();
        await page.GetByLabel("Put Grayscale into a RandomApply").ClickAsync();
        await page.Locator("[data-path='1.0']").WaitForAsync();
        await page.GetByLabel("Move RandomApply up").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("[data-path='0.0']").WaitForAsync();

        var download = await page.RunAndWaitForDownloadAsync(() => page.Locator("#save").ClickAsync());

        var saved = Pipeline.FromJson(await File.ReadAllTextAsync(await download.PathAsync()));
        Assert.Equal(new Compose(new RandomApply([new Grayscale()]), new Resize((64, 64))), saved);
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task A_step_is_dragged_by_mouse_before_another_and_into_the_list_of_a_third()
    {
        await using var session = await studio.OpenAsync("""/transforms?view=pipeline&pipeline=[{"transform":"Resize","size":[64,64]},{"transform":"Grayscale"},{"transform":"RandomApply","transforms":[{"transform":"RandomInvert"}]}]""");
        var page = session.Page;

        await page.Locator("[data-path='1']").DragToAsync(page.Locator("[data-path='0']"));
        await page.Locator("#code pre").Filter(new() { HasTextRegex = new("Grayscale.*Resize.*RandomApply", RegexOptions.Singleline) }).WaitForAsync();
        await page.Locator("[data-path='1']").DragToAsync(page.Locator("ol ol li.end"));
        await page.Locator("[data-path='1.1']").Filter(new() { HasText = "Resize" }).WaitForAsync();

        var download = await page.RunAndWaitForDownloadAsync(() => page.Locator("#save").ClickAsync());

        var saved = Pipeline.FromJson(await File.ReadAllTextAsync(await download.PathAsync()));
        Assert.Equal(new Compose(new Grayscale(), new RandomApply([new RandomInvert(), new Resize((64, 64))])), saved);
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task A_late_answer_never_replaces_a_newer_one_and_what_lay_between_is_not_asked_for()
    {
        await using var session = await studio.OpenAsync("""/transforms?pipeline=[{"transform":"RandomPosterize","bits":8}]""");
        var page = session.Page;
        await page.AddInitScriptAsync("window.shown = []; document.addEventListener('load', e => e.target.id === 'after' && window.shown.push(e.target.src), true)");
        await page.ReloadAsync();
        await ShownAsync(page, "bits%22%3A8");
        var asked = new ConcurrentQueue<string>();
        var (held, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await page.RouteAsync(url => url.Contains("/transforms/picture", StringComparison.Ordinal) && !url.EndsWith("side=300", StringComparison.Ordinal), async route =>
        {
            asked.Enqueue(route.Request.Url);
            if (route.Request.Url.Contains("bits%22%3A7", StringComparison.Ordinal))
            {
                held.SetResult();
                await release.Task;
            }

            await route.ContinueAsync();
        });
        var slider = page.Locator("[data-parameter=bits] input[type=range]");

        await slider.FillAsync("7");
        await held.Task;
        foreach (var bits in new[] { "6", "5", "4", "3" })
        {
            await slider.FillAsync(bits);
            await page.Locator("#code pre").Filter(new() { HasText = $"new RandomPosterize({bits})" }).WaitForAsync();
        }

        release.SetResult();

        await ShownAsync(page, "bits%22%3A3");
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        Assert.Equal(["7", "3", "3"], asked.Select(Bits));
        Assert.Equal(["8", "7", "3", "3"], (await page.EvaluateAsync<string[]>("window.shown")).Select(Bits));
        Assert.Equal("3", Bits((await page.Locator("#after").GetAttributeAsync("src"))!));

        await slider.FillAsync("2");
        await slider.FillAsync("8");
        await ShownAsync(page, "bits%22%3A8");
        Assert.Equal("8", Bits((await page.Locator("#after").GetAttributeAsync("src"))!));

        static string Bits(string address) => Uri.UnescapeDataString(address).Split("\"bits\":")[1][..1];
    }

    [Fact]
    public async Task A_transform_that_draws_shows_nine_draws_and_the_clicked_one_gives_its_seed()
    {
        await using var session = await studio.OpenAsync("""/transforms?pipeline=[{"transform":"RandomRotation","degrees":40}]&seed=5""");
        var draws = session.Page.Locator("#draws img[src]");
        await draws.Nth(8).WaitForAsync();

        await session.Page.GetByAltText("Draw with seed 9").ClickAsync();

        await ShownAsync(session.Page, "seed=9&");
        Assert.Equal("9", await session.Page.Locator("#seed").InputValueAsync());
    }

    [Theory]
    [InlineData("Grayscale", "Nothing is drawn at random here: every seed gives the same picture.", 0)]
    [InlineData("Pad", "Nothing is drawn at random here: every seed gives the same picture.", 0)]
    [InlineData("FiveCrop", "Nothing is drawn at random here: every seed gives the same pictures.", 5)]
    [InlineData("TenCrop", "Nothing is drawn at random here: every seed gives the same pictures.", 10)]
    public async Task A_transform_that_draws_nothing_says_so_and_shows_its_crops_once(string name, string text, int crops)
    {
        await using var session = await studio.OpenAsync("/transforms");
        var page = session.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).ClickAsync();

        await page.Locator("#no-draws").GetByText(text).WaitForAsync();
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        if (crops > 0)
        {
            // They come after the sentence.
            await page.Locator("#crops img[src]").Nth(crops - 1).WaitForAsync();
        }

        Assert.Equal((0, 0, crops), (await page.Locator("#draws").CountAsync(), await page.Locator("#seed").CountAsync(), await page.Locator("#crops img[src]").CountAsync()));
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task A_picture_that_cannot_be_drawn_says_why_until_one_can()
    {
        await using var session = await studio.OpenAsync("""/transforms?pipeline=[{"transform":"FiveCrop","size":[2000,9]}]""");
        var problem = session.Page.Locator("#after-problem");
        await problem.GetByText("FiveCrop cuts out 2000x9 (height x width), and the picture has 750x1000; resize it first.").WaitForAsync();

        await session.Page.Locator("[data-parameter=size] input").FillAsync("90, 80");
        await session.Page.Keyboard.PressAsync("Tab");

        await ShownAsync(session.Page, "size%22%3A%5B90%2C80");
        Assert.Equal("", await problem.TextContentAsync());
    }

    /// <summary>Waits until the picture of an address is on the screen; returns the address.</summary>
    private static async Task<string> ShownAsync(IPage page, string part)
    {
        var shown = page.Locator($"#after[data-shown*='{part}']");
        await shown.WaitForAsync();
        return (await shown.GetAttributeAsync("data-shown"))!;
    }
}
