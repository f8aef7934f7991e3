using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Transfers;

/// <summary>A server that stops inside a body ends the wait, whatever the body is.</summary>
public sealed class SilentBodyTests
{
    public static TheoryData<string> Calls => ["whoami", "info", "tree", "refusal"];

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_body_that_falls_silent_is_given_up(string call)
    {
        // More is announced than is sent, and the connection stays open.
        await using var hub = new ClientFixture((_, _) => ClientFixture.Json("{\"name\":", call == "refusal" ? 403 : 200, ("Content-Length", "1000")));
        using var client = hub.Make(o => o with { DownloadTimeout = TimeSpan.FromMilliseconds(100) });

        var e = await Assert.ThrowsAsync<HubException>(() => call switch
        {
            "whoami" => client.WhoAmIAsync(),
            "tree" => client.ListTreeAsync(ClientFixture.Repo).ToListAsync().AsTask(),
            _ => client.RepoInfoAsync(ClientFixture.Repo),
        });

        Assert.Equal(call == "refusal" ? HubErrorKind.Forbidden : HubErrorKind.Connection, e.Kind);
        if (call == "whoami")
        {
            Assert.Equal($"Could not tell who is logged in: no answer from {hub.Endpoint.GetLeftPart(UriPartial.Authority)} (the answer stopped, and nothing came for 0.1 s). Check the connection, HF_ENDPOINT and proxy settings, then try again.", e.Message);
        }
    }

    [Fact]
    public async Task A_file_name_that_no_repository_takes_is_refused_before_one_is_made()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A backslash separates folders there.");
        await using var hub = new ClientFixture((_, _) => ClientFixture.Json("{}"));

        var e = await Assert.ThrowsAsync<ArgumentException>(() => hub.Client.PushFilesAsync(ClientFixture.Repo, folder => File.WriteAllText(Path.Combine(folder, "a\\b.txt"), "x"), "Push"));

        Assert.StartsWith("Path 'a\\b.txt' cannot be a path in a repository: it holds a backslash or a zero character.", e.Message, StringComparison.Ordinal);
        Assert.Empty(hub.Requests);
    }
}
