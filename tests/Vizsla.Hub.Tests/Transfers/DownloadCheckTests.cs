using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Transfers;

public sealed class DownloadCheckTests
{
    private static readonly byte[] Content = Noise.Make(300_000, "content");

    [Fact]
    public async Task Bytes_of_another_hash_never_reach_the_cache()
    {
        var etag = ClientFixture.Sha256(Content);
        await using var hub = new ClientFixture((_, r) => r.Method == "HEAD" ? ClientFixture.Head(Content.Length, etag) : ClientFixture.Answer(200, Noise.Make(Content.Length, "other")));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.bin"));

        Assert.Equal(HubErrorKind.Corrupt, e.Kind);
        Assert.StartsWith($"Could not download 'a.bin' of model 'user/repo' at 'main': its SHA-256 should be {etag} but is ", e.Message, StringComparison.Ordinal);
        Assert.Equal(["hf/hub/models--user--repo/refs/main"], hub.Written);
    }

    [Fact]
    public async Task More_bytes_than_announced_are_not_taken()
    {
        await using var hub = new ClientFixture((_, r) => r.Method == "HEAD" ? ClientFixture.Head(10, "abc") : ClientFixture.Answer(200, Content));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.bin"));

        Assert.Equal("Could not download 'a.bin' of model 'user/repo' at 'main': more than the announced 10 bytes arrived. The network or the storage has damaged it; try again.", e.Message);
    }

    [Fact]
    public async Task Many_who_want_one_file_fetch_it_once()
    {
        var etag = ClientFixture.Sha256(Content);
        await using var hub = new ClientFixture((_, r) => r.Method == "HEAD" ? ClientFixture.Head(Content.Length, etag) : ClientFixture.Answer(200, Content));
        var clients = Enumerable.Range(0, 8).Select(_ => hub.Make()).ToList();

        var paths = await Task.WhenAll(clients.Select(c => c.DownloadFileAsync(ClientFixture.Repo, "a.bin")));

        Assert.Single(paths.Distinct());
        Assert.Equal(Content, File.ReadAllBytes(paths[0]));
        Assert.Single(hub.Requests, r => r.Method == "GET");
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task Cancelling_leaves_nothing_half_fetched()
    {
        using var stop = new CancellationTokenSource();
        await using var hub = new ClientFixture((_, r) =>
        {
            if (r.Method == "GET")
            {
                stop.Cancel();
            }

            return r.Method == "HEAD" ? ClientFixture.Head(Content.Length, "abc") : ClientFixture.Answer(200, Content);
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.bin", cancellationToken: stop.Token));

        Assert.Equal(["hf/hub/models--user--repo/refs/main"], hub.Written);
    }

    [Fact]
    public async Task Progress_ends_at_the_size()
    {
        var seen = new List<TransferProgress>();
        await using var hub = new ClientFixture((_, r) => r.Method == "HEAD" ? ClientFixture.Head(Content.Length, "abc") : ClientFixture.Answer(200, Content));

        await hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.bin", options: new() { Progress = new Collector(seen) });

        Assert.Equal(new TransferProgress("a.bin", Content.Length, Content.Length), seen[^1]);
        Assert.Equal(seen.Select(p => p.Done).Order(), seen.Select(p => p.Done));
    }

    private sealed class Collector(List<TransferProgress> seen) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => seen.Add(value);
    }
}
