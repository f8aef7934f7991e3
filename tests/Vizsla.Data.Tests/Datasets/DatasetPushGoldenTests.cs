using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vizsla.Datasets;
using Vizsla.Hub;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets;

/// <summary>The recorded pushes, made by our client on our Hub: the same cards, files and commits.</summary>
[Trait("Category", "Golden")]
public sealed partial class DatasetPushGoldenTests : IAsyncLifetime
{
    private static readonly string[] s_classes = ["chihuahua", "persian_cat", "tabby"];
    private static readonly RepoId s_pets = RepoId.Dataset("user/pets");
    private readonly TemporaryFolder _folder = new();
    private JsonArray _steps = [];
    private HubRun _hub = null!;
    private DatasetDict _dataset = new();

    public async ValueTask InitializeAsync()
    {
        _steps = JsonNode.Parse(await File.ReadAllTextAsync(Golden.Require("hub", "datasets-push.hub-2.4.0.json")))!["steps"]!.AsArray();
        CopyPets();
        _dataset = ImageDataset.LoadImageFolder(_folder["pets"]);
        _hub = await HubRun.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_hub is not null)
        {
            await _hub.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Pushes_and_pushes_again_as_recorded()
    {
        await _dataset.PushToHubAsync("user/pets", new() { Private = true, MaxShardSize = "12KB" }, _hub.Client);
        await AssertAsRecorded("pets-first", "DatasetDict(train 18");
        Assert.True((await _hub.Client.RepoInfoAsync(s_pets)).IsPrivate);

        var unchanged = await _dataset.PushToHubAsync("user/pets", new() { Private = true, MaxShardSize = "12KB" }, _hub.Client);
        Assert.True(unchanged.IsEmpty);
        await AssertAsRecorded("pets-first", "the same again");

        await _dataset.PushToHubAsync("user/pets", new() { CommitMessage = "Fewer shards" }, _hub.Client);
        await AssertAsRecorded("pets-second", "push again with one shard");

        await _dataset["test"].Take(3).PushToHubAsync("user/pets", "extra", hub: _hub.Client);
        await AssertAsRecorded("pets-extra", "Dataset.push_to_hub");

        await Train(2).PushToHubAsync("user/pets", new() { ConfigName = "small" }, _hub.Client);
        await AssertAsRecorded("pets-two-configs", "DatasetDict.push_to_hub(\"user/pets\", \"small\")");

        await AssertRefused("push_to_hub(\"user/pets\", \"other\", set_default=True)", () => Train(2).PushToHubAsync("user/pets", new() { ConfigName = "other", SetDefault = true }, _hub.Client));

        await _dataset.PushToHubAsync("user/pets", new() { Revision = "next" }, _hub.Client);
        await AssertAsRecorded("pets-next", "push_to_hub(\"user/pets\", revision=\"next\")", "next");

        await AssertRefused("push_to_hub(\"user/bad\", split=\"a-b\")", () => _dataset["train"].PushToHubAsync("user/bad", "a-b", hub: _hub.Client));
    }

    [Fact]
    public async Task A_card_with_words_of_its_own_keeps_them()
    {
        await _hub.Client.CreateRepoAsync(RepoId.Dataset("user/written"));
        await _hub.Client.CommitAsync(RepoId.Dataset("user/written"), [new CommitAdd("README.md", "---\nlicense: cc-by-4.0\ntags:\n- pets\npretty_name: Mes bêtes\n---\n\n# My pets\n\nWords of the author.\n"u8.ToArray())], "card");

        await Train(2).PushToHubAsync("user/written", hub: _hub.Client);

        Assert.Equal(Card("pets-written"), Comparable(await _hub.ReadAsync(RepoId.Dataset("user/written"), "README.md")));
    }

    [Fact]
    public async Task Odd_class_names_and_a_named_configuration_are_written_as_recorded()
    {
        var odd = ImageDatasetBuilder.From(Enumerable.Range(0, 4)).WithImage(i => _dataset["train"][i]).With("label", i => i, new ClassLabel(["chat noir", "Épagneul: grand", "#3", "yes"])).Build();

        await odd.PushToHubAsync("user/odd-names", hub: _hub.Client);
        await Train(2).PushToHubAsync("user/configs", new() { ConfigName = "one" }, _hub.Client);

        Assert.Equal(Card("odd-names"), Comparable(await _hub.ReadAsync(RepoId.Dataset("user/odd-names"), "README.md")));
        Assert.Equal(Card("configs-one"), Comparable(await _hub.ReadAsync(RepoId.Dataset("user/configs"), "README.md")));
    }

    [Fact]
    public async Task What_was_pushed_loads_with_the_same_rows()
    {
        await _dataset.PushToHubAsync("user/pets", new() { MaxShardSize = "12KB" }, _hub.Client);
        using var fresh = _hub.NewClient("fresh");

        var loaded = await DatasetDict.LoadAsync("user/pets", hub: fresh);
        using var offline = _hub.NewClient("fresh", offline: true);
        var cached = await DatasetDict.LoadAsync("user/pets", hub: offline);

        Assert.Equal(_dataset.Keys, loaded.Keys);
        Assert.Equal(_dataset.Features, loaded.Features);
        Assert.Equal(("user/pets", "user/pets", null), (loaded.Select("train[:50%]+train[50%:]").RenameColumn("label", "breed").HubName, cached["train"].Shuffle(1).HubName, _dataset["train"].HubName));
        foreach (var (split, dataset) in _dataset)
        {
            Assert.Equal(Enumerable.Range(0, dataset.Count).Select(r => (Path.GetFileName(dataset[r].Path), dataset.Label(r))), Enumerable.Range(0, dataset.Count).Select(r => (loaded[split][r].Path, loaded[split].Label(r))));
            Assert.True(dataset[0].ReadBytes().Span.SequenceEqual(loaded[split][0].ReadBytes().Span));
            Assert.Equal(dataset.Count, cached[split].Count);
        }
    }

    private DatasetDict Train(int count) => new(KeyValuePair.Create("train", _dataset["train"].Take(count)));

    private async Task AssertAsRecorded(string card, string call, string revision = "main")
    {
        var recorded = _steps.Single(s => ((string)s!["call"]!).StartsWith(call, StringComparison.Ordinal))!["repo"]!;
        var info = await _hub.Client.RepoInfoAsync(s_pets, revision);
        var commits = await _hub.Client.ListCommitsAsync(s_pets, revision);

        Assert.Equal(Card(card), Comparable(await _hub.ReadAsync(s_pets, "README.md", revision)));
        Assert.Equal(recorded["files"]!.AsObject().Select(f => f.Key).Order(StringComparer.Ordinal), info.Files.Order(StringComparer.Ordinal));
        Assert.Equal(recorded["commits"]!.AsArray().Select(c => (string?)c), commits.Select(c => c.Title).Reverse());
    }

    private async Task AssertRefused(string call, Func<Task> push)
    {
        var message = (string)_steps.Single(s => (string)s!["call"]! == call)!["raises"]!["message"]!;

        Assert.Equal(message, (await Assert.ThrowsAsync<DatasetException>(push)).Message);
    }

    private static string Card(string name) => Comparable(File.ReadAllText(Golden.Require("hub", "cards", $"{name}.hub-2.4.0.md")));

    // The size of a Parquet file belongs to the library that writes it.
    private static string Comparable(string card) => DownloadSize().Replace(card, "download_size: (of the files)");

    private void CopyPets()
    {
        foreach (var name in s_classes)
        {
            var train = Files("train", name);
            var validation = Files("validation", name);
            Copy("train", name, train[..6]);
            Copy("validation", name, validation[..2]);
            Copy("test", name, validation[5..8]);
        }
    }

    private static string[] Files(string split, string name) => [.. Directory.EnumerateFiles(Golden.RequireData("tiny-imagenet-pets", split, name)).Order(StringComparer.Ordinal)];

    private void Copy(string split, string name, string[] files)
    {
        foreach (var (i, file) in files.Index())
        {
            File.Copy(file, _folder.Reserve($"pets/{split}/{name}/{name}_{i}{Path.GetExtension(file)}"));
        }
    }

    [GeneratedRegex("download_size: [0-9]+")]
    private static partial Regex DownloadSize();
}
