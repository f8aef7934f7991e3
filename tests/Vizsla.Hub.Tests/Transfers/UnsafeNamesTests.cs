namespace Vizsla.Hub.Tests.Transfers;

public sealed class UnsafeNamesTests
{
    [Theory]
    [InlineData("../evil.txt")]
    [InlineData("a/../../evil.txt")]
    [InlineData("/etc/evil.txt")]
    [InlineData("C:/evil.txt")]
    [InlineData("a\\\\..\\\\evil.txt")]
    [InlineData("./evil.txt")]
    [InlineData("a//evil.txt")]
    public async Task A_listing_with_a_name_that_leaves_the_folder_is_refused_before_anything_is_written(string name)
    {
        await using var hub = new ClientFixture((_, r) => r.Path.Contains("/tree/", StringComparison.Ordinal)
            ? ClientFixture.Json($$"""[{"type":"file","path":"ok.txt","oid":"a","size":1},{"type":"file","path":"{{name}}","oid":"b","size":1}]""")
            : ClientFixture.Json($$"""{"id":"user/repo","sha":"{{ClientFixture.Commit}}"}"""));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.SnapshotDownloadAsync(ClientFixture.Repo));

        Assert.Equal(HubErrorKind.UnsafeName, e.Kind);
        Assert.Empty(hub.Written);
    }

    [Theory]
    [InlineData("../../evil")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    public async Task An_ETag_that_would_leave_the_blobs_is_refused(string etag)
    {
        await using var hub = new ClientFixture((_, _) => ClientFixture.Head(1, etag));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.txt"));

        Assert.Equal(HubErrorKind.NotAHub, e.Kind);
        Assert.Empty(hub.Written);
    }

    [Theory]
    [InlineData("../../../main")]
    [InlineData("main")]
    public async Task A_commit_that_is_none_is_refused(string commit)
    {
        await using var hub = new ClientFixture((_, _) => ClientFixture.Answer(200, [], ("X-Repo-Commit", commit), ("ETag", "\"abc\""), ("Content-Length", "0")));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.txt"));

        Assert.Equal(HubErrorKind.NotAHub, e.Kind);
    }

    [Fact]
    public async Task A_revision_that_would_leave_the_refs_is_refused()
    {
        await using var hub = new ClientFixture((_, _) => ClientFixture.Head(0, "abc"));

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "a.txt", "../../evil"));

        Assert.Equal(HubErrorKind.UnsafeName, e.Kind);
        Assert.Empty(hub.Written);
    }

    [Fact]
    public async Task A_link_in_the_users_folder_is_not_followed_out_of_it()
    {
        await using var hub = new ClientFixture((_, r) => r.Method == "HEAD" ? ClientFixture.Head(4, "abc") : ClientFixture.Answer(200, "evil"u8.ToArray()));
        var (inside, outside) = (Directory.CreateDirectory(Path.Combine(hub.Folder, "mine")), Directory.CreateDirectory(Path.Combine(hub.Folder, "outside")));
        File.CreateSymbolicLink(Path.Combine(inside.FullName, "logs"), outside.FullName);

        var e = await Assert.ThrowsAsync<HubException>(() => hub.Client.DownloadFileAsync(ClientFixture.Repo, "logs/a.txt", options: new() { LocalDirectory = inside.FullName }));

        Assert.Equal(HubErrorKind.UnsafeName, e.Kind);
        Assert.Empty(outside.GetFiles());
    }

    [Theory]
    [InlineData("../x")]
    [InlineData(".git/config")]
    [InlineData("a/.GIT/config")]
    [InlineData(".cache/huggingface/x")]
    [InlineData("")]
    public void Paths_that_a_repository_does_not_take_are_not_sent(string path)
    {
        Assert.Throws<ArgumentException>(() => new CommitAdd(path, [1]));
    }
}
