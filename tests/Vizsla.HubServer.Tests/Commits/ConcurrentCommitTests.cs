using System.Globalization;
using Vizsla.Hub;

namespace Vizsla.HubServer.Tests.Commits;

public sealed class ConcurrentCommitTests
{
    private static readonly RepoId Repo = RepoId.Model("anna/busy");

    [Fact]
    public async Task Of_several_commits_on_one_parent_one_wins_and_the_others_can_try_again()
    {
        const int Writers = 8;
        await using var server = await ServerFixture.StartAsync();
        var client = server.Client("hf_anna");
        await client.CreateRepoAsync(Repo);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async n =>
        {
            while (true)
            {
                try
                {
                    var head = (await client.RepoInfoAsync(Repo)).Commit;
                    await client.CommitAsync(Repo, [new CommitAdd($"{n}.txt", [65])], n.ToString(CultureInfo.InvariantCulture), new() { ParentCommit = head });
                    return;
                }
                catch (HubException e) when (e.Kind == HubErrorKind.ParentChanged)
                {
                    // Another was first: read the head again.
                }
            }
        }));

        var commits = await client.ListCommitsAsync(Repo);
        Assert.Equal(Enumerable.Range(0, Writers).Select(n => n.ToString(CultureInfo.InvariantCulture)).Append("initial commit").Order(), commits.Select(c => c.Title).Order());
        Assert.Equal(Writers + 1, await client.ListTreeAsync(Repo).CountAsync());
    }

    [Fact]
    public async Task A_stale_parent_changes_nothing()
    {
        await using var server = await ServerFixture.StartAsync();
        var client = server.Client("hf_anna");
        await client.CreateRepoAsync(Repo);
        var old = (await client.RepoInfoAsync(Repo)).Commit;
        var head = (await client.CommitAsync(Repo, [new CommitAdd("a.txt", [65])], "First")).Commit;

        var e = await Assert.ThrowsAsync<HubException>(() => client.CommitAsync(Repo, [new CommitAdd("b.txt", [66])], "Second", new() { ParentCommit = old }));

        Assert.Equal(HubErrorKind.ParentChanged, e.Kind);
        Assert.Equal(head, (await client.RepoInfoAsync(Repo)).Commit);
    }
}
