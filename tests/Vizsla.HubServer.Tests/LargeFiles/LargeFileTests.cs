using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Hub;
using Vizsla.Testing.Hub;

namespace Vizsla.HubServer.Tests.LargeFiles;

public sealed class LargeFileTests
{
    private static readonly RepoId Repo = RepoId.Model("anna/model");

    [Fact]
    public async Task A_file_in_parts_arrives_whole()
    {
        await using var server = await ServerFixture.StartAsync(o =>
        {
            o.PartSize = 100_000;
            return o;
        });
        var client = server.Client("hf_anna");
        var bytes = Noise.Make(950_001, "parts");
        await client.CreateRepoAsync(Repo);

        await client.CommitAsync(Repo, [new CommitAdd("model.safetensors", bytes)], "Add");

        Assert.Equal(bytes, File.ReadAllBytes(await client.DownloadFileAsync(Repo, "model.safetensors")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Folder, "incoming")));
    }

    [Fact]
    public async Task A_range_is_served_and_one_beyond_the_end_refused()
    {
        await using var server = await ServerFixture.StartAsync();
        var client = server.Client("hf_anna");
        var bytes = Noise.Make(10_000, "range");
        await client.CreateRepoAsync(Repo);
        await client.CommitAsync(Repo, [new CommitAdd("w.bin", bytes), new CommitAdd("t.txt", "0123456789"u8.ToArray())], "Add");
        using var http = server.Http("hf_anna");

        foreach (var (address, expected) in new[] { ((await http.GetAsync("/anna/model/resolve/main/w.bin")).Headers.Location!.ToString(), bytes[9_990..]), ("/anna/model/resolve/main/t.txt", "56789"u8.ToArray()) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Range = new(expected.Length == 10 ? 9_990 : 5, null);
            var part = await http.SendAsync(request);
            using var beyond = new HttpRequestMessage(HttpMethod.Get, address);
            beyond.Headers.Range = new(10_001, null);

            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.Equal(expected, await part.Content.ReadAsByteArrayAsync());
            Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, (await http.SendAsync(beyond)).StatusCode);
        }
    }

    [Fact]
    public async Task Bytes_of_another_hash_are_refused()
    {
        await using var server = await ServerFixture.StartAsync();
        var upload = await UploadAddressAsync(server, new string('a', 64), 5);
        using var http = server.Http(null);

        var answer = await http.PutAsync(upload, new ByteArrayContent("wrong"u8.ToArray()));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.Folder, "large"), "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Folder, "incoming")));
    }

    [Theory]
    [InlineData("Signature=", "Signature=0")]
    [InlineData("Expires=", "Expires=9")]
    [InlineData("/upload/a", "/upload/b")]
    [InlineData("repository=", "repository=1")]
    public async Task An_address_that_was_changed_is_refused(string part, string changed)
    {
        await using var server = await ServerFixture.StartAsync();
        var upload = await UploadAddressAsync(server, new string('a', 64), 5);
        using var http = server.Http(null);

        var answer = await http.PutAsync(upload.ToString().Replace(part, changed, StringComparison.Ordinal), new ByteArrayContent("bytes"u8.ToArray()));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task An_address_expires()
    {
        var time = new ShiftedTime();
        await using var server = await ServerFixture.StartAsync(time: time);
        var client = server.Client("hf_anna");
        await client.CreateRepoAsync(Repo);
        await client.CommitAsync(Repo, [new CommitAdd("w.bin", [0, 1])], "Add");
        using var http = server.Http("hf_anna");
        var address = (await http.GetAsync("/anna/model/resolve/main/w.bin")).Headers.Location;

        var now = await http.GetAsync(address);
        time.Shift = TimeSpan.FromHours(2);
        var later = await http.GetAsync(address);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (now.StatusCode, later.StatusCode));
    }

    [Fact]
    public async Task What_was_left_behind_is_swept_away_after_a_day()
    {
        await using var server = await ServerFixture.StartAsync();
        var incoming = Path.Combine(server.Folder, "incoming");
        File.WriteAllText(Path.Combine(incoming, "old"), "");
        Directory.CreateDirectory(Path.Combine(incoming, "parts-old"));
        File.SetLastWriteTimeUtc(Path.Combine(incoming, "old"), DateTime.UnixEpoch);
        Directory.SetLastWriteTimeUtc(Path.Combine(incoming, "parts-old"), DateTime.UnixEpoch);
        File.WriteAllText(Path.Combine(incoming, "fresh"), "");

        await using var again = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = server.Folder, Port = 0 });

        Assert.Equal(["fresh"], Directory.EnumerateFileSystemEntries(incoming).Select(f => Path.GetFileName(f)));
    }

    private static async Task<Uri> UploadAddressAsync(ServerFixture server, string oid, int size)
    {
        await server.Client("hf_anna").CreateRepoAsync(Repo);
        using var http = server.Http("hf_anna");
        var answer = await http.PostAsync("/anna/model.git/info/lfs/objects/batch", new StringContent($$"""{"operation":"upload","transfers":["basic"],"objects":[{"oid":"{{oid}}","size":{{size}}}]}""", Encoding.UTF8, "application/vnd.git-lfs+json"));
        return new Uri((string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["objects"]![0]!["actions"]!["upload"]!["href"]!);
    }

    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
