using Vizsla.Imaging;
using Vizsla.Studio.Labeling;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>The page on which photos are labelled, in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class LabelingInBrowserTests(BrowserFixture studio) : IClassFixture<BrowserFixture>
{
    [Theory]
    [InlineData(1280, false)]
    [InlineData(400, true)]
    public async Task Photos_are_labelled_by_keyboard(int width, bool dark)
    {
        using var folder = new TemporaryFolder();
        var names = Enumerable.Range(0, 6).Select(i => $"p{i}.png").ToList();
        foreach (var (i, name) in names.Index())
        {
            using var picture = new Image(32, 32);
            picture.Pixels.Fill((byte)(40 * i));
            ImageCodec.SavePng(picture, folder[name]);
        }

        using var session = new LabelSession([.. names.Select(n => folder[n])], names, [.. names.Select((_, i) => new[] { 1f, 0.2f * i })], folder["labels.csv"], ("id", "breed"), ["dark", "light"]);
        await using var server = await RunningServer.LabelAsync(session);
        await using var opened = await studio.OpenAsync(new Uri(server.Address, "/").ToString(), width, dark);

        await opened.Page.Keyboard.PressAsync("1");
        await opened.Page.GetByText("1 of 6 photos have a label.").WaitForAsync();
        await opened.Page.Keyboard.TypeAsync("medium");
        await opened.Page.Keyboard.PressAsync("Enter");
        await opened.Page.GetByText("2 of 6 photos have a label.").WaitForAsync();
        await opened.Page.Keyboard.PressAsync("Tab");
        await opened.Page.Keyboard.PressAsync("2");
        await opened.Page.GetByText("3 of 6 photos have a label.").WaitForAsync();
        await opened.Page.Keyboard.PressAsync("Control+z");
        await opened.Page.GetByText("2 of 6 photos have a label.").WaitForAsync();

        var lines = await File.ReadAllLinesAsync(folder["labels.csv"], TestContext.Current.CancellationToken);
        Assert.Equal(["dark", "medium"], lines.Skip(1).Select(l => l.Split(',')[1]).Order(StringComparer.Ordinal));
        Assert.Equal(width, await opened.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(opened.Problems);
    }
}
