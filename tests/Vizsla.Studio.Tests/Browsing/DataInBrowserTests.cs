using Microsoft.Playwright;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>A studio with red and blue pictures, one of them with the label of the others.</summary>
public sealed class ColorBrowserFixture : BrowserFixture
{
    private protected override void WriteData(TemporaryFolder folder)
    {
        for (var i = 0; i < 40; i++)
        {
            var shade = (byte)(10 + (i % 3));
            File.WriteAllBytes(folder.Reserve($"data/train/red/red-{i:00}.png"), TestPictures.Png(220, 20, shade));
            File.WriteAllBytes(folder.Reserve($"data/train/blue/blue-{i:00}.png"), TestPictures.Png(shade, 20, 220));
        }

        File.WriteAllBytes(folder.Reserve("data/train/red/wrong.png"), TestPictures.Png(11, 20, 220));
    }
}

/// <summary>The pages of a dataset in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class DataInBrowserTests(ColorBrowserFixture studio) : IClassFixture<ColorBrowserFixture>
{
    [Fact]
    public async Task Every_photo_is_reached_by_pages_a_class_or_a_part_of_its_name()
    {
        await using var session = await studio.OpenAsync("/data");
        var page = session.Page;
        await page.Locator("#photo-count", new() { HasText = "1–48 of 81" }).WaitForAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Next" }).ClickAsync();
        await page.Locator("#photo-count", new() { HasText = "49–81 of 81" }).WaitForAsync();
        await page.WaitForURLAsync("**/data?page=2");
        await page.ReloadAsync();
        await page.Locator("#photo-count", new() { HasText = "49–81 of 81" }).WaitForAsync();
        await page.Locator("#class").SelectOptionAsync("blue");
        await page.Locator("#photo-count", new() { HasText = "1–40 of 40" }).WaitForAsync();
        await page.GetByLabel("Search by name").FillAsync("-07");
        await page.Locator("#photo-count", new() { HasText = "1–1 of 1" }).WaitForAsync();
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task A_picture_is_relabeled_and_taken_back_and_a_second_window_agrees()
    {
        await using var session = await studio.OpenAsync("/data?q=red-03");
        await using var second = await studio.OpenAsync("/data?q=red-03");
        var page = session.Page;
        await page.Locator("#samples button").First.ClickAsync();

        await page.Locator("#relabel").SelectOptionAsync("blue");
        await page.GetByRole(AriaRole.Button, new() { Name = "Relabel" }).ClickAsync();
        await page.Locator("#photo-class", new() { HasText = "blue" }).WaitForAsync();
        await second.Page.Locator("#samples", new() { HasText = "blue" }).WaitForAsync();

        await page.Keyboard.PressAsync("Escape");
        await page.Locator("#undo").ClickAsync();
        await second.Page.Locator("#samples", new() { HasText = "red" }).WaitForAsync();
        Assert.True(File.Exists(Path.Combine(studio.Data, "train", "red", "red-03.png")));
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task Wrong_labels_are_decided_by_keyboard_and_the_map_is_walked_by_keyboard()
    {
        await using var session = await studio.OpenAsync("/data?view=labels", 400, dark: true);
        var page = session.Page;
        await page.GetByText("Compare the pictures").ClickAsync();
        await page.Locator("#queue").WaitForAsync();
        Assert.Equal("blue", await page.Locator("#suggested").InnerTextAsync());

        await page.Keyboard.PressAsync("a");
        await page.Locator("#queue-empty").WaitForAsync();
        Assert.True(File.Exists(Path.Combine(studio.Data, "train", "blue", "wrong.png")));
        await page.Locator("#undo").ClickAsync();
        await page.Locator("#queue").WaitForAsync();
        await page.Locator("#queue").FocusAsync();
        await page.Keyboard.PressAsync("r");
        await page.Locator("#queue-empty").WaitForAsync();
        Assert.True(File.Exists(Path.Combine(studio.Data, "train", "red", "wrong.png")));
        await page.Locator("#undo").ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Map" }).ClickAsync();
        await page.Locator(".plane[data-drawn] canvas").FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Locator(".plane figure img").WaitForAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#photo").WaitForAsync();
        Assert.Equal(400, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(session.Problems);
    }
}
