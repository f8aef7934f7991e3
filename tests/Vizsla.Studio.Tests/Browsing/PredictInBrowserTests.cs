using Microsoft.Playwright;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>A studio and a browser with a camera that shows a test picture.</summary>
public sealed class CameraBrowserFixture : BrowserFixture
{
    private protected override IEnumerable<string> MoreFlags => ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
}

/// <summary>The page of predictions in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class PredictInBrowserTests(CameraBrowserFixture studio) : IClassFixture<CameraBrowserFixture>
{
    [Fact]
    public async Task Many_pictures_are_sorted_removed_cleared_brought_back_and_are_there_after_a_reload()
    {
        await using var session = await studio.OpenAsync("/predict");
        var page = session.Page;
        await page.Locator("#examples button").First.WaitForAsync();
        await page.Locator("input[type=file]").First.SetInputFilesAsync([.. Enumerable.Range(0, 6).Select(i => new FilePayload
        {
            Name = $"photo-{i}.png", MimeType = "image/png", Buffer = TestPictures.Png((byte)(40 * i), 200, 10),
        })]);
        var table = page.Locator("#prediction-table");
        await table.GetByText("6 of 6 pictures").WaitForAsync();

        await table.GetByRole(AriaRole.Button, new() { Name = "File", Exact = true }).ClickAsync();
        await table.Locator("tbody tr:has(td)").First.GetByText("photo-0.png").WaitForAsync();
        await table.GetByRole(AriaRole.Button, new() { Name = "Remove photo-0.png" }).ClickAsync();
        await table.GetByText("5 of 5 pictures").WaitForAsync();
        await page.Locator("#undo").ClickAsync();
        await table.GetByText("6 of 6 pictures").WaitForAsync();
        await page.Locator("#clear").ClickAsync();
        await table.WaitForAsync(new() { State = WaitForSelectorState.Detached });
        await page.Locator("#undo").ClickAsync();
        await table.GetByText("6 of 6 pictures").WaitForAsync();
        await page.WaitForURLAsync("**batch=*");
        await page.ReloadAsync();

        await table.GetByText("6 of 6 pictures").WaitForAsync();
        await table.GetByText("photo-5.png").WaitForAsync();
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task The_number_of_classes_and_none_of_these_are_in_the_address()
    {
        await using var session = await studio.OpenAsync("/predict?picture=sample");
        var page = session.Page;
        await page.Locator("#prediction .bar.first").WaitForAsync();

        await page.Locator("#top-k").FillAsync("2");
        await page.Locator("#least").FillAsync("99");
        await page.Keyboard.PressAsync("Tab");
        await page.Locator("#none").WaitForAsync();
        await page.WaitForURLAsync("**top=2&least=99");
        await page.ReloadAsync();

        await page.Locator("#none").WaitForAsync();
        Assert.Equal(2, await page.Locator("#prediction .bars dt").CountAsync());
    }

    [Fact]
    public async Task An_address_inside_is_refused_on_the_page()
    {
        await using var session = await studio.OpenAsync("/predict", 400);
        var page = session.Page;
        await page.Locator("#picture-url").FillAsync("http://127.0.0.1/photo.jpg");

        await page.GetByRole(AriaRole.Button, new() { Name = "From an address" }).ClickAsync();

        await page.GetByText("'127.0.0.1' is not a public host. Save the picture and drop it here.").WaitForAsync();
        Assert.Equal(400, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [Fact]
    public async Task The_camera_of_a_desktop_takes_a_photo()
    {
        await using var session = await studio.OpenAsync("/predict");
        var page = session.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Camera", Exact = true }).ClickAsync();
        await page.Locator("dialog.camera video").EvaluateAsync("v => v.videoWidth > 0 ? 0 : new Promise(r => v.addEventListener('loadeddata', r))");
        await page.GetByRole(AriaRole.Button, new() { Name = "Take the photo" }).ClickAsync();

        await page.Locator("#prediction h2", new() { HasText = "camera.jpg" }).WaitForAsync();
        await page.Locator("#prediction .bar.first").WaitForAsync();
        Assert.Equal(0, await page.Locator("dialog.camera").CountAsync());
        Assert.Empty(session.Problems);
    }
}
