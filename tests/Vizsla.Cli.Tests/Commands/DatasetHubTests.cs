using Vizsla.Datasets.Drawing;
using Vizsla.Datasets.Splits;
using Vizsla.HubServer;
using Vizsla.Testing;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>The dataset verbs over a Hub, each a process of its own.</summary>
public sealed class DatasetHubTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private HubServerHost? _hub;

    public async ValueTask InitializeAsync()
    {
        _ = AnimalPainter.WriteFolder(_folder["photos"], countPerClass: 5, size: 32);
        DatasetPreparation.Run(new PreparationOptions { Images = _folder["photos"], Output = _folder["Pets"], ValidationSize = 6, TestSize = 6 });
        _hub = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = _folder["hub"], Port = 0 });
    }

    public async ValueTask DisposeAsync()
    {
        await _hub!.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_pushed_dataset_can_be_looked_at_and_pulled_elsewhere()
    {
        var here = Machine("here");
        here["HF_TOKEN"] = (await File.ReadAllTextAsync(_hub!.TokenFile)).Trim();
        var address = _hub.Address.ToString().TrimEnd('/');

        var pushed = await RunAsync(here, "push", "--dataset", "Pets", "--repo", "user/pets", "--max_shard_size", "8KB", "--commit_message", "Thirty animals");
        var again = await RunAsync(here, "push", "--dataset", "Pets", "--repo", "user/pets", "--max_shard_size", "8KB");
        var there = Machine("there");
        var info = await RunAsync(there, "info", "--dataset", "user/pets");
        var pulled = await RunAsync(there, "pull", "--repo", "user/pets", "--output", "pulled");
        there["HF_HUB_OFFLINE"] = "1";
        var cached = await RunAsync(there, "show", "--dataset", "user/pets", "--split", "test", "--count", "4", "--output", "sheet.png");
        var stats = await RunAsync(there, "stats", "--dataset", "pulled");
        var check = await RunAsync(there, "check", "--dataset", "user/pets");

        Assert.StartsWith($"Pushed 30 rows: {address}/datasets/user/pets/commit/", pushed, StringComparison.Ordinal);
        Assert.StartsWith("Nothing had changed: ", again, StringComparison.Ordinal);
        Assert.Equal("train: 18\nvalidation: 6\ntest: 6\ncolumns: image, label\nclasses: 6 (butterfly, fish, giraffe, rabbit, snake, spider)\n", info);
        Assert.Equal(_folder["pulled"], pulled.Trim());
        Assert.True(Directory.EnumerateFiles(_folder["pulled", "data"], "train-*.parquet").Count() > 1);
        Assert.Equal("Drew 4 pictures on 'sheet.png'.\n", cached);
        Assert.Matches("│ train +│ +18 │ +6 │ +3 3 3 │", stats);
        Assert.Equal("Checked 30 pictures (train 18, validation 6, test 6): 0 errors, 0 warnings.\n", check);
    }

    [Fact]
    public async Task A_private_dataset_is_not_there_for_others_and_is_named()
    {
        var here = Machine("here");
        here["HF_TOKEN"] = (await File.ReadAllTextAsync(_hub!.TokenFile)).Trim();
        await RunAsync(here, "push", "--dataset", "Pets", "--repo", "user/secret", "--private");

        var (code, _, error) = await CliProcess.TryAsync(_folder.Path, Machine("there"), "dataset", "info", "--dataset", "user/secret");

        Assert.Equal(1, code);
        Assert.Contains("user/secret", error, StringComparison.Ordinal);
        Assert.Equal("train: 18", (await RunAsync(here, "info", "--dataset", "user/secret")).Split('\n')[0]);
    }

    private Dictionary<string, string> Machine(string name) => new() { ["HF_ENDPOINT"] = _hub!.Address.ToString(), ["HF_HOME"] = _folder["home-" + name], ["XDG_CACHE_HOME"] = _folder["cache-" + name] };

    private async Task<string> RunAsync(IReadOnlyDictionary<string, string> machine, params string[] words) => (await CliProcess.RunAsync(_folder.Path, machine, ["dataset", .. words])).Out;
}
