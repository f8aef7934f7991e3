using Microsoft.Playwright;
using Vizsla.Datasets.Drawing;
using Vizsla.Testing;
using Vizsla.Training.Arguments;

namespace Vizsla.Studio.Tests.Browsing;

/// <summary>A studio with a run, a model and a dataset, and Debian's Chromium to look at it.</summary>
public class BrowserFixture : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";
    private static readonly string[] Flags =
        ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private readonly TemporaryFolder _folder = new();
    private RunningServer? _server;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The folder of runs.</summary>
    public string Runs => _folder["runs"];

    /// <summary>The folder of the dataset.</summary>
    public string Data => _folder["data"];

    /// <summary>A new page of the studio, ready for input, that fails the test when a script fails or the policy blocks something.</summary>
    public async Task<Session> OpenAsync(string path, int width = 1280, bool dark = false)
    {
        if (_browser is null)
        {
            Assert.Skip("skipped: no /usr/bin/chromium (apt-get install chromium)");
        }

        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 860 },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            AcceptDownloads = true,
        });
        var page = await context.NewPageAsync();
        var session = new Session(context, page);
        page.PageError += (_, error) => session.Problems.Add(error);
        var address = new Uri(_server!.Address, path).ToString();
        page.Console += (_, message) =>
        {
            // A page that is not found says so of itself.
            if (message.Type == "error" && !message.Location.StartsWith(address, StringComparison.Ordinal))
            {
                session.Problems.Add(message.Text);
            }
        };
        await page.GotoAsync(address);
        // A page of the studio gives its heading or its dialog the focus once it answers; what a test did before would be undone.
        await page.Locator(":focus, body:not(:has(script[src*=blazor])) h1").First.WaitForAsync();
        return session;
    }

    /// <summary>The bytes at an address of the studio.</summary>
    public Task<byte[]> ReadAsync(string address) => _server!.Client.GetByteArrayAsync(address);

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Chromium))
        {
            return;
        }

        var model = SmallModel.Save(_folder["runs", "pets"]);
        WriteRun("pets");
        WriteRun("pushed", to: 20, end: false);
        await File.AppendAllTextAsync(_folder["runs", "pushed", "events.jsonl"], """
            {"event": "push", "time": "2026-01-01T10:00:25Z", "step": 10, "message": "Training in progress, step 10", "repo": "ada/pets", "commit": "0123456789abcdef"}
            {"event": "push_failed", "time": "2026-01-01T10:00:30Z", "step": 20, "message": "Training in progress, step 20", "repo": "ada/pets", "error": "The Hub is away."}

            """);
        var columns = Enumerable.Range(1, 8);
        _folder.WriteText("runs/pets/README.md", $"""
            ## Results

            | {string.Join(" | ", columns.Select(i => $"A long heading {i}"))} |
            {string.Concat(columns.Select(_ => "|---"))}|
            | {string.Join(" | ", columns)} |

            """);
        WriteData(_folder);
        _server = await RunningServer.StudioAsync(new StudioOptions
        {
            Runs = Runs,
            Models = [model],
            Dataset = Data,
            Training = new(["dotnet", Path.Combine(AppContext.BaseDirectory, "Vizsla.Cli.dll")], new Dictionary<string, string>(), [.. ArgumentTable.KnownNames]),
        });
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = [.. Flags, .. MoreFlags] });
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    /// <summary>What the browser is told besides.</summary>
    private protected virtual IEnumerable<string> MoreFlags => [];

    /// <summary>Writes the dataset into the folder <c>data</c>: three drawings of each animal.</summary>
    /// <param name="folder">The folder above.</param>
    private protected virtual void WriteData(TemporaryFolder folder)
    {
        foreach (var animal in AnimalPainter.Classes)
        {
            for (ulong i = 0; i < 3; i++)
            {
                using var image = AnimalPainter.Paint(animal, 64, new Primitives.Rng(i));
                Imaging.ImageCodec.SaveJpeg(image, folder.Reserve($"data/test/{animal}/{i}.jpg"));
            }
        }
    }

    /// <summary>Begins or continues a run as the trainer writes it.</summary>
    public void WriteRun(string name, int from = 0, int to = 60, bool end = true)
    {
        using var events = new StreamWriter(_folder.Reserve($"runs/{name}/events.jsonl"), append: from > 0);
        if (from == 0)
        {
            events.WriteLine("""{"event": "train_begin", "time": "2026-01-01T10:00:00Z", "step": 0, "epoch": 0, "max_steps": 60}""");
        }

        for (var step = from + 10; step <= to; step += 10)
        {
            events.WriteLine(FormattableString.Invariant(
                $"{{\"event\": \"log\", \"time\": \"2026-01-01T10:00:{step - 1}Z\", \"step\": {step}, \"epoch\": {step / 20.0}, \"values\": {{\"loss\": {20.0 / step}, \"learning_rate\": {1e-4 * (60 - step)}, \"eval_loss\": {21.0 / step}, \"eval_accuracy\": {step / 100.0}}}}}"));
        }

        if (end)
        {
            events.WriteLine("""{"event": "train_end", "time": "2026-01-01T10:01:00Z", "step": 60}""");
        }
    }

    /// <summary>One page and what went wrong on it.</summary>
    public sealed record Session(IBrowserContext Context, IPage Page) : IAsyncDisposable
    {
        /// <summary>Errors of scripts and of the browser.</summary>
        public List<string> Problems { get; } = [];

        public ValueTask DisposeAsync() => Context.DisposeAsync();
    }
}
