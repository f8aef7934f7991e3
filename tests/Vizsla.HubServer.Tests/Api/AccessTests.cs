using System.Net;
using System.Text;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;

namespace Vizsla.HubServer.Tests.Api;

public sealed class AccessTests : IAsyncLifetime
{
    private static readonly RepoId Secret = RepoId.Model("anna/secret");

    private ServerFixture _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync();
        var anna = _server.Client("hf_anna");
        await anna.CreateRepoAsync(Secret, isPrivate: true);
        await anna.CommitAsync(Secret, [new CommitAdd("a.txt", "a"u8.ToArray()), new CommitAdd("w.bin", [0, 1, 2])], "Add");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("hf_ben", HubErrorKind.RepositoryNotFound)]
    [InlineData(null, HubErrorKind.RepositoryNotFound)]
    [InlineData("hf_nobody", HubErrorKind.Unauthorized)]
    public async Task A_private_repository_is_not_there_for_others(string? token, HubErrorKind kind)
    {
        var client = _server.Client(token);
        Func<Task>[] ways =
        [
            () => client.RepoInfoAsync(Secret),
            () => client.DownloadFileAsync(Secret, "a.txt"),
            () => client.ListTreeAsync(Secret).ToListAsync().AsTask(),
            () => client.ListCommitsAsync(Secret),
            () => client.ListReferencesAsync(Secret),
            () => client.PathsInfoAsync(Secret, ["a.txt"]),
            () => client.CommitAsync(Secret, [new CommitDelete("a.txt")], "Delete"),
            () => client.CreateBranchAsync(Secret, "mine"),
            () => client.SetVisibilityAsync(Secret, isPrivate: false),
        ];

        foreach (var way in ways)
        {
            Assert.Equal(kind, (await Assert.ThrowsAsync<HubException>(way)).Kind);
        }
    }

    [Fact]
    public async Task A_role_opens_a_private_repository_and_its_end_closes_it()
    {
        using var administration = new HubAdministration(_server.Folder);
        var ben = _server.Client("hf_ben");

        await administration.SetRoleAsync(Secret, "ben", TokenRole.Read);
        await ben.DownloadFileAsync(Secret, "w.bin");
        var write = await Assert.ThrowsAsync<HubException>(() => ben.CommitAsync(Secret, [new CommitDelete("a.txt")], "Delete"));
        await administration.SetRoleAsync(Secret, "ben", TokenRole.Write);
        await ben.CommitAsync(Secret, [new CommitDelete("a.txt")], "Delete");
        await administration.SetRoleAsync(Secret, "ben", TokenRole.None);
        var read = await Assert.ThrowsAsync<HubException>(() => ben.RepoInfoAsync(Secret));

        Assert.Equal((HubErrorKind.Forbidden, HubErrorKind.RepositoryNotFound), (write.Kind, read.Kind));
    }

    [Fact]
    public async Task A_read_token_changes_nothing()
    {
        var reader = _server.Client("hf_anna_reads");
        Func<Task>[] ways =
        [
            () => reader.CommitAsync(Secret, [new CommitDelete("a.txt")], "Delete"),
            () => reader.CreateRepoAsync(RepoId.Model("anna/other")),
            () => reader.DeleteRepoAsync(Secret),
            () => reader.MoveRepoAsync(Secret, RepoId.Model("anna/other")),
            () => reader.CreateTagAsync(Secret, "v1"),
            () => reader.SetVisibilityAsync(Secret, isPrivate: false),
        ];

        foreach (var way in ways)
        {
            Assert.Equal(HubErrorKind.Forbidden, (await Assert.ThrowsAsync<HubException>(way)).Kind);
        }

        Assert.Equal("a", File.ReadAllText(await reader.DownloadFileAsync(Secret, "a.txt")));
    }

    [Fact]
    public async Task Nobody_makes_repositories_under_another_name()
    {
        var e = await Assert.ThrowsAsync<HubException>(() => _server.Client("hf_ben").CreateRepoAsync(RepoId.Model("anna/mine")));

        Assert.Equal(HubErrorKind.Forbidden, e.Kind);
        Assert.Contains("You don't have the rights to create a model under the namespace \"anna\"", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_bytes_of_a_private_large_file_cannot_be_had_by_naming_their_hash()
    {
        var ben = _server.Client("hf_ben");
        var mine = RepoId.Model("ben/mine");
        var oid = (await _server.Client("hf_anna").ListTreeAsync(Secret).FirstAsync(e => e.LfsOid is not null)).LfsOid!;
        await ben.CreateRepoAsync(mine);

        var commit = await Assert.ThrowsAsync<HubException>(() => ben.CommitAsync(mine, [new CommitLargeFile("stolen.bin", oid, 3)], "Steal"));
        using var http = _server.Http("hf_ben");
        var batch = await http.PostAsync("/ben/mine.git/info/lfs/objects/batch", new StringContent($$"""{"operation":"download","objects":[{"oid":"{{oid}}","size":3}]}""", Encoding.UTF8, "application/vnd.git-lfs+json"));

        Assert.Equal(HubErrorKind.BadRequest, commit.Kind);
        Assert.Contains("Object does not exist", await batch.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_is_asked_for_a_name_and_a_token()
    {
        using var http = _server.Http(null);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/anna/secret");
        request.Headers.Accept.ParseAdd("text/html");
        var asked = await http.SendAsync(request);
        http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("anna:hf_anna"u8));

        var page = await http.GetAsync("/anna/secret");

        Assert.Equal((HttpStatusCode.Unauthorized, true), (asked.StatusCode, asked.Headers.WwwAuthenticate.ToString().StartsWith("Basic", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }
}
