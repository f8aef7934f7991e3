using Microsoft.Playwright;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>The page of one run in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class RunPageInBrowserTests(BrowserFixture studio) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task Axis_and_scale_are_in_the_address_beside_the_part_and_a_reload_shows_them()
    {
        await using var session = await studio.OpenAsync("/runs/pets");
        var page = session.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "epoch" }).ClickAsync();
        await page.GetByText("Logarithmic").ClickAsync();
        await page.WaitForURLAsync("**/runs/pets?x=epoch&log=True");
        await page.ReloadAsync();

        await page.Locator(".chart .main-svg").First.WaitForAsync();
        Assert.Equal("true", await page.GetByRole(AriaRole.Button, new() { Name = "epoch" }).GetAttributeAsync("aria-pressed"));
        Assert.True(await page.GetByLabel("Logarithmic").IsCheckedAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Arguments" }).ClickAsync();
        await page.WaitForURLAsync("**part=arguments*");
        Assert.Contains("x=epoch", page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_picture_opens_large_turns_by_arrow_keys_and_its_address_opens_it_again()
    {
        await using var session = await studio.OpenAsync("/runs/pets?part=predictions");
        var page = session.Page;
        await AskAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "misclassified" }).ClickAsync();
        await page.WaitForURLAsync("**only=misclassified*");

        await page.Locator("#outcomes button.thumb").First.ClickAsync();
        await page.Locator("#outcome .bars dt").Nth(4).WaitForAsync();
        var first = await page.Locator("dialog h2").InnerTextAsync();
        await page.WaitForURLAsync("**picture=*");
        var address = page.Url;
        await page.Keyboard.PressAsync("ArrowRight");
        await page.WaitForURLAsync(url => url != address && url.Contains("picture=", StringComparison.Ordinal));
        await page.Keyboard.PressAsync("ArrowLeft");
        await page.WaitForURLAsync(address);
        await page.GetByLabel("Where the model looked").CheckAsync();
        await page.Locator("#outcome-heat").EvaluateAsync("h => h.decode()");
        await page.ReloadAsync();

        await page.Locator("#outcome").WaitForAsync();
        Assert.Equal(first, await page.Locator("dialog h2").InnerTextAsync());
        await page.Keyboard.PressAsync("Escape");
        await page.Locator("dialog").WaitForAsync(new() { State = WaitForSelectorState.Detached });
        Assert.Empty(session.Problems);
    }

    [Theory]
    [InlineData("predict", "#prediction .bar.first")]
    [InlineData("transforms", "img[data-shown]")]
    public async Task From_a_picture_of_a_run_a_link_leads_on(string to, string shown)
    {
        await using var session = await studio.OpenAsync("/runs/pets?part=predictions&picture=2");
        await AskAsync(session.Page);

        await session.Page.Locator("#outcome a", new() { HasText = to }).ClickAsync();

        await session.Page.Locator(shown).First.WaitForAsync();
        await session.Page.WaitForURLAsync($"**/{to}?*picture=*");
    }

    [Fact]
    public async Task A_run_that_is_deleted_while_its_page_is_open_says_so_and_again_after_a_reload()
    {
        studio.WriteRun("short-lived");
        await using var session = await studio.OpenAsync("/runs/short-lived");
        await session.Page.Locator(".pill.done").WaitForAsync();

        Directory.Delete(Path.Combine(studio.Runs, "short-lived"), recursive: true);

        await session.Page.GetByText("This run is gone").WaitForAsync();
        await session.Page.ReloadAsync();
        await session.Page.GetByText("There is no such run").WaitForAsync();
    }

    [Fact]
    public async Task A_chart_is_saved_as_a_picture_and_as_a_table()
    {
        await using var session = await studio.OpenAsync("/runs/pets");
        var page = session.Page;
        await page.Locator(".chart .main-svg").First.WaitForAsync();

        var picture = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { Name = "Loss as PNG" }).ClickAsync());
        var table = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { Name = "Loss as CSV" }).ClickAsync());

        Assert.Equal(("loss.png", "loss.csv"), (picture.SuggestedFilename, table.SuggestedFilename));
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], (await File.ReadAllBytesAsync(await picture.PathAsync()))[..4]);
        Assert.StartsWith("series,x,y\npets · training,10,2\n", await File.ReadAllTextAsync(await table.PathAsync()), StringComparison.Ordinal);
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task The_report_of_a_run_is_one_click()
    {
        await using var session = await studio.OpenAsync("/runs/pets");

        var report = await session.Page.RunAndWaitForDownloadAsync(() => session.Page.Locator("#report").ClickAsync());

        Assert.Equal("pets.html", report.SuggestedFilename);
        Assert.Contains("<h1>pets</h1>", await File.ReadAllTextAsync(await report.PathAsync()), StringComparison.Ordinal);
    }

    private static async Task AskAsync(IPage page)
    {
        await page.Locator("#ask").Or(page.Locator("#confusion")).First.WaitForAsync();
        if (await page.Locator("#ask").IsVisibleAsync())
        {
            await page.Locator("#ask").ClickAsync();
        }

        await page.Locator("#outcomes").WaitForAsync();
    }
}
