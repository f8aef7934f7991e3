using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Transfers;

public sealed class RetryTests
{
    private static readonly RawAnswer Description = ClientFixture.Json("""{"id":"user/repo","sha":"x"}""");

    [Fact]
    public async Task A_server_that_fails_is_asked_six_times_with_growing_waits()
    {
        await using var hub = new ClientFixture((_, _) => ClientFixture.Json("{}", 502));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.RepoInfoAsync(ClientFixture.Repo));

        Assert.Equal((HubErrorKind.ServerError, 502), (e.Kind, (int)e.Status!));
        Assert.Equal(6, hub.Requests.Count);
        Assert.Equal([1, 2, 4, 8, 8], hub.Time.Waits.Select(w => w.TotalSeconds));
    }

    [Theory]
    [InlineData("Retry-After", "7", 8)]
    [InlineData("RateLimit", "\"api\";r=0;t=30", 31)]
    public async Task A_wait_that_the_server_asks_for_is_kept_and_one_second_more(string header, string value, int seconds)
    {
        var asked = 0;
        await using var hub = new ClientFixture((_, _) => asked++ == 0 ? ClientFixture.Json("{}", 429, (header, value)) : Description);

        await hub.Client.RepoInfoAsync(ClientFixture.Repo);

        Assert.Equal([seconds], hub.Time.Waits.Select(w => w.TotalSeconds));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(408)]
    [InlineData(409)]
    [InlineData(412)]
    [InlineData(422)]
    public async Task Another_refusal_is_never_tried_again(int status)
    {
        await using var hub = new ClientFixture((_, _) => ClientFixture.Json("{}", status));

        await Assert.ThrowsAsync<HubException>(() => hub.Client.RepoInfoAsync(ClientFixture.Repo));

        Assert.Single(hub.Requests);
    }

    [Fact]
    public async Task A_commit_whose_fate_is_unknown_is_not_sent_twice()
    {
        await using var hub = new ClientFixture((_, r) => r.Path.Contains("/preupload/", StringComparison.Ordinal)
            ? ClientFixture.Json("""{"files":[{"path":"a.txt","uploadMode":"regular","shouldIgnore":false}]}""")
            : ClientFixture.Json("{}", 500));

        await Assert.ThrowsAsync<HubException>(() => hub.Client.CommitAsync(ClientFixture.Repo, [new CommitAdd("a.txt", [65])], "Add"));

        Assert.Single(hub.Requests, r => r.Path.Contains("/commit/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Redirects_in_a_circle_end()
    {
        await using var hub = new ClientFixture((f, _) => ClientFixture.Redirect(307, new Uri(f.Endpoint, "/again")));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.RepoInfoAsync(ClientFixture.Repo));

        Assert.Equal("Could not look up model 'user/repo': more than 10 redirects. Check HF_ENDPOINT and proxy settings.", e.Message);
    }

    [Fact]
    public async Task A_snapshot_that_is_cached_is_used_at_once_when_the_Hub_is_away()
    {
        var isAway = false;
        var file = "content"u8.ToArray();
        await using var hub = new ClientFixture((_, r) => isAway ? ClientFixture.Json("{}", 503)
            : r.Path.Contains("/tree/", StringComparison.Ordinal) ? ClientFixture.Json("""[{"type":"file","path":"a.txt","size":7,"oid":"6b584e8ece562ebffc15d38808cd6b98fc3d97ea"},{"type":"file","path":"b.txt","size":7,"oid":"6b584e8ece562ebffc15d38808cd6b98fc3d97ea"}]""")
            : r.Path.Contains("/api/", StringComparison.Ordinal) ? ClientFixture.Json($$"""{"id":"user/repo","sha":"{{ClientFixture.Commit}}"}""")
            : r.Method == "HEAD" ? ClientFixture.Head(7, "6b584e8ece562ebffc15d38808cd6b98fc3d97ea")
            : ClientFixture.Answer(200, file));
        var options = new SnapshotOptions { Choose = paths => paths.Where(p => p == "a.txt").Append("../escape.txt") };
        var fetched = await hub.Client.SnapshotDownloadAsync(ClientFixture.Repo, null, options);
        isAway = true;
        var before = hub.Requests.Count;

        var again = await hub.Client.SnapshotDownloadAsync(ClientFixture.Repo, null, options);

        Assert.Equal(fetched, again);
        Assert.Equal(["a.txt"], Directory.EnumerateFileSystemEntries(again).Select(f => Path.GetFileName(f)));
        Assert.Equal(before + 1, hub.Requests.Count);
        Assert.Empty(hub.Time.Waits);
    }
}
