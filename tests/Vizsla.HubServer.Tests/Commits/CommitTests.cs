using System.Net;
using System.Security.Cryptography;
using System.Text;
using Vizsla.Hub;

namespace Vizsla.HubServer.Tests.Commits;

public sealed class CommitTests : IAsyncLifetime
{
    private static readonly RepoId Repo = RepoId.Dataset("anna/data");

    private ServerFixture _server = null!;
    private HubClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync();
        _client = _server.Client("hf_anna");
        await _client.CreateRepoAsync(Repo);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_folder_becomes_a_repository_and_comes_back()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_server.Folder, "mine"));
        var files = new Dictionary<string, byte[]> { ["README.md"] = "# Data\n"u8.ToArray(), ["deep/er/é ü.txt"] = [65, 10], ["empty.txt"] = [], ["data/train-00000-of-00001.parquet"] = Testing.Hub.Noise.Make(100_000, "p") };
        foreach (var (name, bytes) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder.FullName, name))!);
            File.WriteAllBytes(Path.Combine(folder.FullName, name), bytes);
        }

        await _client.UploadFolderAsync(Repo, folder.FullName);
        var again = await _client.UploadFolderAsync(Repo, folder.FullName);
        var snapshot = await _client.SnapshotDownloadAsync(Repo);

        Assert.True(again.IsEmpty);
        Assert.All(files, f => Assert.Equal(f.Value, File.ReadAllBytes(Path.Combine(snapshot, f.Key))));
        Assert.Equal(files.Count + 1, Directory.GetFiles(snapshot, "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public async Task A_large_folder_goes_in_several_commits()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_server.Folder, "many"));
        for (var i = 0; i < 25; i++)
        {
            File.WriteAllText(Path.Combine(folder.FullName, $"{i:00}.txt"), $"{i}");
        }

        await _client.UploadFolderAsync(Repo, folder.FullName, new() { MaxFilesPerCommit = 10, Message = "Many" });

        Assert.Equal(["Many (part 3 of 3)", "Many (part 2 of 3)", "Many (part 1 of 3)", "initial commit"], (await _client.ListCommitsAsync(Repo)).Select(c => c.Title));
        Assert.Equal(26, await _client.ListTreeAsync(Repo).CountAsync());
    }

    [Fact]
    public async Task An_upload_that_was_broken_off_goes_on_where_it_was()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_server.Folder, "broken"));
        for (var i = 0; i < 6; i++)
        {
            File.WriteAllBytes(Path.Combine(folder.FullName, $"{i}.bin"), Testing.Hub.Noise.Make(100_000, $"{i}"));
        }

        using var stop = new CancellationTokenSource();
        var options = new UploadFolderOptions { MaxFilesPerCommit = 2, Message = "Many", Commit = new CommitOptions { MaxWorkers = 1, Progress = new StopAt("3.bin", stop) } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.UploadFolderAsync(Repo, folder.FullName, options, stop.Token));
        var titles = (await _client.ListCommitsAsync(Repo)).Select(c => c.Title).ToList();
        var stored = Stored();

        await _client.UploadFolderAsync(Repo, folder.FullName, options with { Commit = new CommitOptions() });

        Assert.Equal(["Many (part 1 of 3)", "initial commit"], titles);
        Assert.Equal(["Many (part 3 of 3)", "Many (part 2 of 3)", "Many (part 1 of 3)", "initial commit"], (await _client.ListCommitsAsync(Repo)).Select(c => c.Title));
        Assert.InRange(stored.Count, 3, 4);
        var after = Stored();
        Assert.Equal(6, after.Count);
        // What was there is not sent again; the file under way when the client left may be stored with and after it.
        var underWay = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder.FullName, "3.bin"))));
        Assert.All(stored.Where(s => !s.Key.Contains(underWay, StringComparison.Ordinal)), s => Assert.Equal(s.Value, after[s.Key]));
        Assert.Contains(after.Keys, key => key.Contains(underWay, StringComparison.Ordinal));
        var snapshot = await _client.SnapshotDownloadAsync(Repo);
        Assert.All(Directory.GetFiles(folder.FullName), f => Assert.Equal(File.ReadAllBytes(f), File.ReadAllBytes(Path.Combine(snapshot, Path.GetFileName(f)))));
    }

    [Fact]
    public async Task Ids_are_those_of_Git()
    {
        await _client.CommitAsync(Repo, [new CommitAdd("sub/hello.txt", "hello\n"u8.ToArray()), new CommitDelete(".gitattributes")], "Add");

        var entries = await _client.ListTreeAsync(Repo).ToListAsync();

        // git hash-object and git write-tree say so.
        Assert.Equal([("sub", "aaa96ced2d9a1c8e72c56b253a0e2fe78393feb7"), ("sub/hello.txt", "ce013625030ba8dba906f756967f9e9ca394464a")], entries.Select(e => (e.Path, e.Oid)).Order());
    }

    [Fact]
    public async Task A_removed_folder_takes_its_empty_parents_along()
    {
        await _client.CommitAsync(Repo, [new CommitAdd("a/b/c.txt", [65]), new CommitAdd("a/d.txt", [66])], "Add");

        await _client.CommitAsync(Repo, [new CommitDelete("a/b/"), new CommitDelete("a/d.txt")], "Delete");

        Assert.Equal([".gitattributes"], await _client.ListTreeAsync(Repo).Select(e => e.Path).ToListAsync());
    }

    [Fact]
    public async Task A_file_gives_way_to_a_folder_of_its_name()
    {
        await _client.CommitAsync(Repo, [new CommitAdd("a", [65])], "File");

        await _client.CommitAsync(Repo, [new CommitAdd("a/b.txt", [66])], "Folder");

        Assert.Equal([".gitattributes", "a", "a/b.txt"], await _client.ListTreeAsync(Repo).Select(e => e.Path).Order().ToListAsync());
    }

    [Theory]
    [InlineData("""{"key":"file","value":{"path":"../x","content":"QQ==","encoding":"base64"}}""", "'../x' is not a valid path in a repository")]
    [InlineData("""{"key":"file","value":{"path":"a/.git/config","content":"QQ==","encoding":"base64"}}""", "'a/.git/config' is not a valid path in a repository")]
    [InlineData("""{"key":"file","value":{"path":"/etc/x","content":"QQ==","encoding":"base64"}}""", "'/etc/x' is not a valid path in a repository")]
    [InlineData("""{"key":"file","value":{"path":"a","content":"?","encoding":"base64"}}""", "a content is not base64")]
    [InlineData("""{"key":"file","value":{"content":"QQ=="}}""", "\"path\" is missing.")]
    [InlineData("""{"key":"file","value":{"path":7,"content":"QQ=="}}""", "\"path\" must be a string.")]
    [InlineData("""{"key":"lfsFile","value":{"path":"a","oid":"../../x"}}""", "'../../x' is not a SHA-256")]
    [InlineData("""{"key":"teleport","value":{"path":"a"}}""", "unknown operation 'teleport'")]
    [InlineData("nonsense", "a line is not JSON")]
    [InlineData("[1]", "a line is not a key with a value")]
    public async Task What_is_no_commit_is_refused_and_changes_nothing(string line, string message)
    {
        using var http = _server.Http("hf_anna");
        var head = (await _client.RepoInfoAsync(Repo)).Commit;

        var answer = await http.PostAsync("/api/datasets/anna/data/commit/main", new StringContent($"{{\"key\":\"header\",\"value\":{{\"summary\":\"x\"}}}}\n{line}\n", Encoding.UTF8, "application/x-ndjson"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(message, System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(head, (await _client.RepoInfoAsync(Repo)).Commit);
    }

    [Fact]
    public async Task A_moved_repository_is_found_under_its_old_name()
    {
        await _client.CommitAsync(Repo, [new CommitAdd("a.txt", "a"u8.ToArray()), new CommitAdd("b.parquet", [1, 2, 3])], "Add");

        await _client.MoveRepoAsync(Repo, RepoId.Dataset("anna/moved"));

        Assert.Equal("a", File.ReadAllText(await _client.DownloadFileAsync(Repo, "a.txt")));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(await _client.DownloadFileAsync(Repo, "b.parquet")));
        Assert.Equal("anna/moved", (await _client.RepoInfoAsync(Repo)).Id);
    }

    [Fact]
    public async Task A_proposal_leaves_the_branch_and_can_be_read()
    {
        var result = await _client.CommitAsync(Repo, [new CommitAdd("a.txt", "a"u8.ToArray())], "Propose", new() { CreatePullRequest = true });

        Assert.EndsWith("/datasets/anna/data/discussions/1", result.PullRequestUrl!.ToString(), StringComparison.Ordinal);
        Assert.False(await _client.FileExistsAsync(Repo, "a.txt"));
        Assert.True(await _client.FileExistsAsync(Repo, "a.txt", "refs/pr/1"));
    }

    [Fact]
    public async Task The_main_branch_stays()
    {
        var e = await Assert.ThrowsAsync<HubException>(() => _client.DeleteBranchAsync(Repo, "main"));

        Assert.Contains("The branch 'main' cannot be deleted", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("../x")]
    [InlineData("x.lock")]
    public async Task A_branch_needs_a_name_that_Git_allows(string name)
    {
        var e = await Assert.ThrowsAsync<HubException>(() => _client.CreateBranchAsync(Repo, name));

        Assert.Equal(HubErrorKind.BadRequest, e.Kind);
    }

    private Dictionary<string, DateTime> Stored() =>
        Directory.EnumerateFiles(Path.Combine(_server.Folder, "large"), "*", SearchOption.AllDirectories).ToDictionary(f => Path.GetFileName(f), File.GetLastWriteTimeUtc);

    private sealed class StopAt(string path, CancellationTokenSource stop) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value)
        {
            if (value.Path == path)
            {
                stop.Cancel();
            }
        }
    }
}
