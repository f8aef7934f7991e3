using Microsoft.Playwright;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>The list of runs in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class RunsInBrowserTests(BrowserFixture studio) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task Of_two_hundred_runs_the_newest_is_shown_and_the_page_stays_short()
    {
        for (var i = 0; i < 200; i++)
        {
            studio.WriteRun($"many/run-{i:000}", to: 10);
        }

        await using var session = await studio.OpenAsync("/runs?q=many");
        var page = session.Page;
        await page.Locator(".chart .main-svg").First.WaitForAsync();

        await page.Locator("#run-count", new() { HasText = "200 of" }).WaitForAsync();
        Assert.InRange(await page.Locator("#run-table tbody tr").CountAsync(), 5, 80);
        Assert.InRange(await page.EvaluateAsync<int>("document.documentElement.scrollHeight"), 400, 3000);
        Assert.Equal(1, await page.Locator("#run-table input:checked").CountAsync());
        Directory.Delete(Path.Combine(studio.Runs, "many"), recursive: true);
    }

    [Fact]
    public async Task A_search_an_order_and_a_column_are_in_the_address_and_a_reload_shows_the_same()
    {
        studio.WriteRun("seen-one", to: 20);
        studio.WriteRun("seen-two");
        await using var session = await studio.OpenAsync("/runs");
        var page = session.Page;

        await page.GetByLabel("Search runs").FillAsync("seen");
        await page.Locator("#run-count", new() { HasText = "2 of" }).WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Best" }).ClickAsync();
        await page.Locator("#columns summary").ClickAsync();
        await page.Locator("#columns").GetByText("Step").ClickAsync();
        await page.WaitForURLAsync("**q=seen&sort=-best&columns=**step*");
        await page.ReloadAsync();

        await page.Locator("#run-count", new() { HasText = "2 of" }).WaitForAsync();
        await page.Locator("#run-table th", new() { HasText = "Step" }).WaitForAsync();
        Assert.Equal(["seen-two", "seen-one"], await page.Locator("#run-table tbody a").AllInnerTextsAsync());
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task A_run_is_noted_renamed_and_deleted_by_keyboard_and_each_is_taken_back_and_a_second_window_sees_it()
    {
        studio.WriteRun("shelf-run");
        await using var session = await studio.OpenAsync("/runs?q=shelf");
        await using var second = await studio.OpenAsync("/runs?q=shelf&columns=tags");
        var page = session.Page;
        await page.GetByLabel("Change shelf-run").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.GetByLabel("Tags, separated by commas").FillAsync("paper");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).PressAsync("Enter");
        await page.GetByText("Saved the notes of 'shelf-run'.").WaitForAsync();
        await second.Page.Locator(".tag", new() { HasText = "paper" }).WaitForAsync();

        await page.GetByLabel("Name of its folder").FillAsync("shelf-other");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rename" }).PressAsync("Enter");
        await second.Page.Locator("#run-table a", new() { HasText = "shelf-other" }).WaitForAsync();
        await page.Locator("#undo").PressAsync("Enter");
        await second.Page.Locator("#run-table a", new() { HasText = "shelf-run" }).WaitForAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).PressAsync("Enter");
        await second.Page.Locator("#none-listed").WaitForAsync();
        await page.Locator("#undo").PressAsync("Enter");
        await second.Page.Locator("#run-table a", new() { HasText = "shelf-run" }).WaitForAsync();
        Assert.Empty(session.Problems);
        Assert.Empty(second.Problems);
    }

    [Fact]
    public async Task Arrow_keys_go_from_run_to_run()
    {
        studio.WriteRun("arrow-a");
        studio.WriteRun("arrow-b");
        await using var session = await studio.OpenAsync("/runs?q=arrow&sort=name&run=");
        var page = session.Page;
        await page.GetByLabel("Show the curves of arrow-a").FocusAsync();

        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Space");

        Assert.Equal("Show the curves of arrow-b", await page.EvaluateAsync<string>("document.activeElement.getAttribute('aria-label')"));
        await page.WaitForURLAsync("**run=arrow-b*");
    }

    [Fact]
    public async Task A_page_says_that_the_server_is_away_and_goes_on_with_the_next_one()
    {
        studio.WriteRun("restarted");
        var first = await RunningServer.StudioAsync(new StudioOptions { Runs = studio.Runs });
        await using var session = await studio.OpenAsync(new Uri(first.Address, "/runs?q=restarted&columns=step").ToString());
        var page = session.Page;
        await page.Locator("#run-count", new() { HasText = "1 of" }).WaitForAsync();
        await page.EvaluateAsync("window.isOld = true");

        await first.DisposeAsync();
        await page.GetByText("The server does not answer. This page goes on by itself when it does.").WaitForAsync();
        await using var second = await RunningServer.StudioAsync(new StudioOptions { Runs = studio.Runs }, first.Address.Port);

        await page.Locator("body:not(:has(.components-reconnect-show)) #run-table a", new() { HasText = "restarted" }).WaitForAsync();
        await page.GetByLabel("Search runs").FillAsync("nothing like it");
        await page.Locator("#none-listed").WaitForAsync();
        Assert.False(await page.EvaluateAsync<bool>("window.isOld === true"));
    }
}
