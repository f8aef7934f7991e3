using System.Net;
using System.Text;
using Vizsla.Hub;

namespace Vizsla.HubServer.Tests.Commits;

/// <summary>Regular files of a commit have a largest size, which is checked while the commit is read.</summary>
public sealed class CommitLimitTests
{
    private const int Limit = 64 * 1024;

    [Fact]
    public async Task A_regular_file_above_the_limit_is_refused_and_one_at_the_limit_is_taken()
    {
        await using var server = await ServerFixture.StartAsync(o =>
        {
            o.LargeFileThreshold = Limit;
            return o;
        });
        await server.Client("hf_anna").CreateRepoAsync(RepoId.Model("anna/open"));
        using var http = server.Http("hf_anna");
        async Task<(HttpStatusCode, string)> Commit(int length)
        {
            var lines = "{\"key\":\"header\",\"value\":{\"summary\":\"s\"}}\n{\"key\":\"file\",\"value\":{\"path\":\"a\",\"content\":\"" + Convert.ToBase64String(new byte[length]) + "\",\"encoding\":\"base64\"}}";
            var answer = await http.PostAsync("/api/models/anna/open/commit/main", new StringContent(lines, Encoding.UTF8, "application/x-ndjson"));
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        Assert.Equal(HttpStatusCode.OK, (await Commit(Limit)).Item1);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, """{"error":"A regular file of a commit has more than 65536 bytes; send it as a large file."}"""), await Commit(Limit + 1));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await Commit(10 * Limit)).Item1);
    }
}
