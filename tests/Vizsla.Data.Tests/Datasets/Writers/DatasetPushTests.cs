using Vizsla.Datasets;
using Vizsla.Hub;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets.Writers;

public sealed class DatasetPushTests : IAsyncLifetime
{
    private static readonly RepoId s_repo = RepoId.Dataset("user/pets");
    private readonly TemporaryFolder _folder = new();
    private HubRun _hub = null!;
    private DatasetDict _pets = new();

    public async ValueTask InitializeAsync()
    {
        _folder.Draw(Enumerable.Range(0, 6).SelectMany(i => new[] { $"pets/train/cat/{i}.png", $"pets/train/dog/{i}.png", $"pets/test/cat/t{i}.png", $"pets/test/dog/t{i}.png" }));
        _pets = ImageDataset.LoadImageFolder(_folder["pets"]);
        _hub = await HubRun.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Pushes_at_the_same_time_both_arrive()
    {
        await _pets.PushToHubAsync("user/pets", hub: _hub.Client);
        using var other = _hub.NewClient("other");

        await Task.WhenAll(
            _pets["train"].Take(2).PushToHubAsync("user/pets", "one", hub: _hub.Client),
            _pets["train"].Take(3).PushToHubAsync("user/pets", "two", hub: other));

        var loaded = await DatasetDict.LoadAsync("user/pets", hub: _hub.NewClient("fresh"));
        Assert.Equal(["one", "test", "train", "two"], loaded.Keys.Order());
        Assert.Equal((2, 3), (loaded["one"].Count, loaded["two"].Count));
    }

    [Fact]
    public async Task A_push_that_was_interrupted_changes_nothing_and_the_next_is_whole()
    {
        await _pets.PushToHubAsync("user/pets", hub: _hub.Client);
        var before = await _hub.Client.RepoInfoAsync(s_repo);
        using var stop = new CancellationTokenSource();
        var options = new DatasetPushOptions { ShardCounts = new Dictionary<string, int> { ["train"] = 4 }, Progress = new Stopper(stop) };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _pets.PushToHubAsync("user/pets", options, _hub.Client, stop.Token));
        var after = await _hub.Client.RepoInfoAsync(s_repo);
        await _pets.PushToHubAsync("user/pets", options with { Progress = null }, _hub.Client);

        Assert.Equal(before.Commit, after.Commit);
        var loaded = await DatasetDict.LoadAsync("user/pets", hub: _hub.NewClient("fresh"));
        Assert.Equal([12, 12], loaded.Values.Select(d => d.Count));
        Assert.Equal(4, (await _hub.Client.RepoInfoAsync(s_repo)).Files.Count(f => f.StartsWith("data/train-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Many_shards_go_in_several_commits()
    {
        var rows = ImageDatasetBuilder.From(Enumerable.Range(0, 60)).With("i", i => i).Build("train");

        await rows.PushToHubAsync("user/rows", options: new() { ShardCounts = new Dictionary<string, int> { ["train"] = 60 } }, hub: _hub.Client);

        var titles = (await _hub.Client.ListCommitsAsync(RepoId.Dataset("user/rows"))).Select(c => c.Title).Reverse().Skip(1);
        Assert.Equal(["Upload dataset (part 00000-of-00002)", "Upload dataset (part 00001-of-00002)", "Upload dataset"], titles);
        var loaded = await DatasetDict.LoadAsync("user/rows", hub: _hub.NewClient("fresh"));
        Assert.Equal(Enumerable.Range(0, 60), Enumerable.Range(0, 60).Select(r => (int)(long)loaded["train"].Value(r, "i")!));
    }

    [Fact]
    public async Task Another_configuration_becomes_the_default_when_asked()
    {
        await _pets.PushToHubAsync("user/pets", new() { ConfigName = "one", SetDefault = true }, _hub.Client);
        await _pets.PushToHubAsync("user/pets", new() { ConfigName = "two", SetDefault = true }, _hub.Client);
        await new DatasetDict(KeyValuePair.Create("train", _pets["train"].Take(3))).PushToHubAsync("user/pets", new() { ConfigName = "two" }, _hub.Client);

        var loaded = await DatasetDict.LoadAsync("user/pets", hub: _hub.NewClient("fresh"));

        Assert.Equal([3], loaded.Values.Select(d => d.Count));
    }

    [Fact]
    public async Task Only_the_files_of_the_chosen_configuration_are_downloaded()
    {
        await _pets.PushToHubAsync("user/pets", hub: _hub.Client);
        await _pets.PushToHubAsync("user/pets", new() { ConfigName = "other" }, _hub.Client);
        using var fresh = _hub.NewClient("fresh");

        await DatasetDict.LoadAsync("user/pets", new() { Name = "other" }, hub: fresh);

        var snapshot = Directory.EnumerateDirectories(Path.Combine(fresh.Options.CacheDirectory, "datasets--user--pets", "snapshots")).Single();
        Assert.Equal(["README.md", "other/test-00000-of-00001.parquet", "other/train-00000-of-00001.parquet"], Pictures.Tree(snapshot));
    }

    [Fact]
    public async Task Folders_of_pictures_on_a_Hub_load_too()
    {
        await _hub.Client.CreateRepoAsync(RepoId.Dataset("user/folders"));
        await _hub.Client.UploadFolderAsync(RepoId.Dataset("user/folders"), _folder["pets"]);

        var loaded = await DatasetDict.LoadAsync("user/folders", hub: _hub.NewClient("fresh"));
        using var image = loaded["test"].LoadImage(0);

        Assert.Equal(["train", "test"], loaded.Keys);
        Assert.Equal(["cat", "dog"], loaded["train"].ClassNames);
        Assert.Equal(_pets["train"].Fingerprint, loaded["train"].Fingerprint);
        Assert.Equal(16, image.Width);
    }

    [Fact]
    public async Task What_is_neither_a_folder_nor_a_name_is_refused()
    {
        var error = await Assert.ThrowsAsync<DatasetException>(() => DatasetDict.LoadAsync("no/such/folder", hub: _hub.Client));

        Assert.Equal("'no/such/folder' is neither a folder nor the name of a dataset on a Hub ('owner/name').", error.Message);
        var absent = await Assert.ThrowsAsync<HubException>(() => DatasetDict.LoadAsync("user/absent", hub: _hub.Client));
        Assert.Equal(HubErrorKind.RepositoryNotFound, absent.Kind);
    }

    private sealed class Stopper(CancellationTokenSource stop) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => stop.Cancel();
    }
}
