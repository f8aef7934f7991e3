using System.Collections.Concurrent;
using System.Globalization;
using Vizsla.Hub;
using Vizsla.Testing;
using Vizsla.Testing.Hub;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>A Hub whose process is killed while many commit to it.</summary>
public sealed class HubCrashTests : IDisposable
{
    private const int Rounds = 3;
    private const int Writers = 6;
    private const int CommitsBeforeTheKill = 30;
    private static readonly RepoId Repo = RepoId.Model("user/busy");

    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<string, string> _acknowledged = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_kill_under_load_loses_no_commit_that_was_acknowledged_and_leaves_none_half_done()
    {
        for (var round = 0; round < Rounds; round++)
        {
            using var server = CliProcess.Start(_folder.Path, new Dictionary<string, string>(), "hub", "serve", "--data", "hub-data", "--port", "0");
            using var client = Client(await server.ReadLineAsync(), $"writers-{round}");
            await client.CreateRepoAsync(Repo, existOk: true);
            await CheckAsync(client);

            var goal = _acknowledged.Count + CommitsBeforeTheKill;
            var reached = new TaskCompletionSource();
            var writers = Enumerable.Range(0, Writers).Select(n => WriteAsync(client, $"{round}-{n}", goal, reached)).ToList();
            await Task.WhenAny(reached.Task, Task.WhenAll(writers));
            await server.KillAsync();
            await Task.WhenAll(writers);
        }

        using var last = CliProcess.Start(_folder.Path, new Dictionary<string, string>(), "hub", "serve", "--data", "hub-data", "--port", "0");
        using var reader = Client(await last.ReadLineAsync(), "reader");
        await CheckAsync(reader);
        Assert.InRange(_acknowledged.Count, Rounds * CommitsBeforeTheKill, int.MaxValue);
    }

    // Each commit brings a large file, a small one, and one that all writers overwrite.
    private async Task WriteAsync(HubClient client, string writer, int goal, TaskCompletionSource reached)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{writer}-{i}");
                CommitOperation[] files = [new CommitAdd($"large/{name}.bin", Noise.Make(50_000, name)), new CommitAdd($"small/{name}.txt", System.Text.Encoding.UTF8.GetBytes(name)), new CommitAdd("last.txt", System.Text.Encoding.UTF8.GetBytes(name))];
                var commit = await client.CommitAsync(Repo, files, name);
                _acknowledged[name] = commit.Commit;
                if (_acknowledged.Count >= goal)
                {
                    reached.TrySetResult();
                }
            }
        }
        catch (HubException e) when (e.Kind is HubErrorKind.Connection)
        {
            // The server was killed.
        }
    }

    private async Task CheckAsync(HubClient client)
    {
        var history = await client.ListCommitsAsync(Repo);
        var ids = history.ToDictionary(c => c.Title, c => c.Id);
        Assert.All(_acknowledged, a => Assert.Equal(a.Value, ids[a.Key]));

        // A commit that nobody heard of is there whole, or not at all.
        var written = history.Where(c => c.Title != "initial commit").Select(c => c.Title).ToList();
        var files = (await client.ListTreeAsync(Repo).ToListAsync()).Where(f => !f.IsFolder).Select(f => f.Path).ToHashSet();
        Assert.Equal(written.SelectMany(t => new[] { $"large/{t}.bin", $"small/{t}.txt" }).Concat(written.Count > 0 ? ["last.txt"] : []).Append(".gitattributes").ToHashSet(), files);
        var folder = await client.SnapshotDownloadAsync(Repo);
        foreach (var name in written)
        {
            Assert.Equal(Noise.Make(50_000, name), await File.ReadAllBytesAsync(Path.Combine(folder, "large", name + ".bin")));
            Assert.Equal(name, await File.ReadAllTextAsync(Path.Combine(folder, "small", name + ".txt")));
        }

        if (written.Count > 0)
        {
            Assert.Equal(written[0], await File.ReadAllTextAsync(Path.Combine(folder, "last.txt")));
        }
    }

    private HubClient Client(string announcement, string home) => new(
        HubOptions.FromEnvironment(name => name switch
        {
            "HF_HOME" => _folder[home],
            "HF_ENDPOINT" => announcement.Split(' ')[^1],
            "HF_TOKEN_PATH" => _folder["hub-data", "token"],
            _ => null,
        }),
        time: new InstantTime());
}
