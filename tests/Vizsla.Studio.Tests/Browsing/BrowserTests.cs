using Microsoft.Playwright;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>The pages in a real browser.</summary>
[Trait("Category", "Slow")]
public sealed class BrowserTests(BrowserFixture studio) : IClassFixture<BrowserFixture>
{
    private static readonly string AxeScript = Path.Combine(Golden.Checkout, "artifacts", "axe", "node_modules", "axe-core", "axe.min.js");

    public static TheoryData<string, int, bool> Views
    {
        get
        {
            var views = new TheoryData<string, int, bool>();
            foreach (var path in new[] { "/", "/transforms", "/transforms?view=pipeline", """/transforms?pipeline=[{"transform":"FiveCrop","size":90}]""", "/predict?picture=sample", "/runs", "/runs?run=pets&run=pushed&columns=state,best,test,model,tags", "/runs/pets", "/runs/pets?part=predictions", "/runs/pets?part=plots", "/runs/pets?part=arguments", "/runs/pets?part=card", "/runs/pets?part=commands", "/runs/pushed", "/runs/absent", "/data", "/data?picture=1", "/data?view=labels", "/train", "/train?from_scratch=true&model=vit-tiny", "/_content/Vizsla.Studio/try.html" })
            {
                views.Add(path, 1280, false);
                views.Add(path, 400, true);
            }

            return views;
        }
    }

    [Theory, MemberData(nameof(Views))]
    public async Task Every_page_opens_without_an_error_and_fits_its_width(string path, int width, bool dark)
    {
        await using var session = await studio.OpenAsync(path, width, dark);
        await session.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);

        Assert.Empty(session.Problems);
        Assert.InRange(await session.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"), 1, width);
    }

    [Theory, MemberData(nameof(Views))]
    public async Task Contrast_labels_and_structure_pass_axe(string path, int width, bool dark)
    {
        Assert.SkipUnless(File.Exists(AxeScript), "skipped: no axe-core (npm install --prefix artifacts/axe axe-core)");
        await using var session = await studio.OpenAsync(path, width, dark);
        await session.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);

        await session.Page.EvaluateAsync(await File.ReadAllTextAsync(AxeScript));
        var violations = await session.Page.EvaluateAsync<string[]>("axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' ')}`))");

        Assert.Empty(violations);
    }

    [Fact]
    public async Task An_example_is_named_and_many_pictures_become_a_table()
    {
        await using var session = await studio.OpenAsync("/predict");
        var page = session.Page;
        var examples = page.Locator("#examples button");
        await examples.First.ClickAsync();
        await page.Locator("#prediction .bar.first").WaitForAsync();

        await page.Locator("input[type=file]").First.SetInputFilesAsync([
            new FilePayload { Name = "green.png", MimeType = "image/png", Buffer = TestPictures.Png(10, 200, 10) },
            new FilePayload { Name = "text.jpg", MimeType = "image/jpeg", Buffer = "no picture"u8.ToArray() },
        ]);

        var table = page.Locator("#prediction-table");
        await table.GetByText("3 of 3 pictures").WaitForAsync();
        await table.GetByText("The file is not a picture in a supported format").WaitForAsync();
        Assert.Equal(6, await page.Locator("#prediction-table tr:has-text('green.png') td").CountAsync());
    }

    [Theory]
    [InlineData("Camera", "environment")]
    [InlineData("Choose photos", null)]
    public async Task A_button_takes_a_photo_from_the_camera_or_from_the_disk(string button, string? capture)
    {
        await using var session = await studio.OpenAsync("/predict");
        var page = session.Page;

        var chooser = await page.RunAndWaitForFileChooserAsync(() => page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync());
        Assert.Equal(capture, await chooser.Element.GetAttributeAsync("capture"));
        await chooser.SetFilesAsync(new FilePayload { Name = "photo.png", MimeType = "image/png", Buffer = TestPictures.Png(10, 200, 10) });

        await page.Locator("#prediction .bar.first").WaitForAsync();
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task An_example_whose_file_is_gone_says_so_and_the_page_goes_on()
    {
        await using var session = await studio.OpenAsync("/predict");
        var examples = session.Page.Locator("#examples button");
        await examples.First.WaitForAsync();
        Directory.Move(studio.Data, studio.Data + ".away");
        try
        {
            await examples.First.ClickAsync();
            await session.Page.Locator("#prediction").GetByText("The dataset's file cannot be read.").WaitForAsync();
        }
        finally
        {
            Directory.Move(studio.Data + ".away", studio.Data);
        }

        await examples.First.ClickAsync();
        await session.Page.Locator("#prediction .bar.first").WaitForAsync();
    }

    [Fact]
    public async Task Where_the_model_looked_lies_over_the_picture_as_strong_as_the_slider_says()
    {
        await using var session = await studio.OpenAsync("/predict?picture=sample");
        var page = session.Page;
        var heat = page.Locator("#heat");
        await heat.WaitForAsync();

        await page.GetByLabel("Strength of the map").FillAsync("25");

        Assert.Equal("0.25", await heat.EvaluateAsync<string>("h => getComputedStyle(h).opacity"));
        Assert.Equal("32 x 32", await heat.EvaluateAsync<string>("async h => { await h.decode(); return `${h.naturalWidth} x ${h.naturalHeight}`; }"));
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task A_class_and_its_percentage_share_a_row_on_a_telephone_too()
    {
        await using var session = await studio.OpenAsync("/predict?picture=sample", 400);
        await session.Page.Locator("#prediction .bar.first").WaitForAsync();

        var tops = await session.Page.EvaluateAsync<int[][]>(
            "['dt', 'dd.num'].map(s => [...document.querySelectorAll(`#prediction .bars ${s}`)].map(e => Math.round(e.getBoundingClientRect().top)))");

        Assert.NotEmpty(tops[0]);
        Assert.Equal(tops[0], tops[1]);
    }

    [Fact]
    public async Task A_long_name_of_a_class_breaks_rather_than_widen_the_page()
    {
        await using var session = await studio.OpenAsync("/data", 400);
        await session.Page.Locator("#samples span").First.WaitForAsync();

        await session.Page.EvaluateAsync("document.querySelectorAll('#samples span').forEach(s => s.textContent = 'american_pit_bull_terrier_and_longer')");

        Assert.Equal(400, await session.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [Fact]
    public async Task A_word_of_a_command_is_not_broken_at_its_hyphens()
    {
        await using var session = await studio.OpenAsync("/runs/pets?part=commands", 400);

        var lines = await session.Page.Locator(".code .word").EvaluateAllAsync<int[]>("words => words.map(w => w.getClientRects().length)");

        Assert.NotEmpty(lines);
        Assert.All(lines, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task What_became_of_a_push_stands_on_the_page_of_its_run()
    {
        await using var session = await studio.OpenAsync("/runs/pushed", 400, dark: true);

        await session.Page.Locator("#pushes .problem").GetByText("The Hub is away.").WaitForAsync();

        Assert.Equal(400, await session.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [Fact]
    public async Task A_run_is_followed_while_another_process_writes_it()
    {
        studio.WriteRun("live", to: 20, end: false);
        await using var session = await studio.OpenAsync("/runs/live");
        var page = session.Page;
        await page.GetByText("20 of 60").WaitForAsync();

        studio.WriteRun("live", from: 20, to: 60);

        await page.GetByText("60 of 60").WaitForAsync();
        await page.Locator(".pill.done").WaitForAsync();
        Assert.Equal(6, await page.Locator("#step-table tbody tr").CountAsync());
    }

    [Fact]
    public async Task The_pictures_behind_a_number_of_the_confusion_matrix_open()
    {
        await using var session = await studio.OpenAsync("/runs/pets?part=predictions");
        var page = session.Page;
        var ask = page.Locator("#ask");
        await ask.Or(page.Locator("#confusion")).First.WaitForAsync();
        if (await ask.IsVisibleAsync())
        {
            await ask.ClickAsync();
        }

        await page.Locator("#confusion td button").First.ClickAsync();

        await page.Locator("#behind img").First.WaitForAsync();
        Assert.Empty(session.Problems);
    }

    [Fact]
    public async Task The_keyboard_alone_reaches_the_page_behind_the_links()
    {
        await using var session = await studio.OpenAsync("/");
        await session.Page.Locator(".skip-link").FocusAsync();
        await session.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("Vizsla Studio, start", await session.Page.EvaluateAsync<string>("document.activeElement.getAttribute('aria-label')"));
        await session.Page.Keyboard.PressAsync("Tab");
        await session.Page.Keyboard.PressAsync("Enter");

        await session.Page.Locator("h1", new() { HasText = "Transforms" }).WaitForAsync();
    }
}
