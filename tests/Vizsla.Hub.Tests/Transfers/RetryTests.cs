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
}
