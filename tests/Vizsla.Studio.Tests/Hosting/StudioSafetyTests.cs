using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vizsla.Studio.Tests.Pictures;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Hosting;

/// <summary>What the pages' own addresses keep to.</summary>
public sealed class StudioSafetyTests : IDisposable
{
    private const string Secret = "the content of a file that nobody asked for";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/runs-plots/a?file=..%2F..%2Fsecret.png")]
    [InlineData("/runs-plots/a?file=%2e%2e/%2e%2e/secret.png")]
    [InlineData("/runs-plots/a?file=..%5C..%5Csecret.png")]
    [InlineData("/runs-plots/a?file=out.png")]
    [InlineData("/runs-plots/..%2F?file=secret.png")]
    [InlineData("/runs-plots/out?file=secret.png")]
    [InlineData("/pictures/..%2Fsecret.png")]
    [InlineData("/transforms/picture?picture=..%2Fsecret.png&seed=1&pipeline=[]")]
    [InlineData("/predict/seen?model=..%2Fa&picture=sample")]
    [InlineData("/runs/..%2F..%2Fsecret.png")]
    [InlineData("/runs/out")]
    [InlineData("/data/picture?split=..%2F..&row=0&run=a")]
    [InlineData("/_content/Vizsla.Studio/..%2F..%2Fsecret.png")]
    public async Task No_address_leads_out_of_the_given_folders(string address)
    {
        Directory.CreateDirectory(_folder["runs/a/plots"]);
        await File.WriteAllTextAsync(_folder["secret.png"], Secret);
        await File.WriteAllTextAsync(_folder["runs/a/events.jsonl"], "");
        File.CreateSymbolicLink(_folder["runs/a/plots/out.png"], _folder["secret.png"]);
        Directory.CreateSymbolicLink(_folder["runs/out"], _folder.Path);
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Runs = _folder["runs"] });

        using var answer = await server.Client.GetAsync(address);

        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_the_dataset_that_is_gone_or_broken_is_told_without_its_path()
    {
        foreach (var file in new[] { "gone.png", "broken.png" })
        {
            await File.WriteAllBytesAsync(_folder.Reserve($"data/train/cat/{file}"), TestPictures.Png(1, 2, 3));
        }

        await using var server = await RunningServer.StudioAsync(new StudioOptions { Dataset = _folder["data"] });
        using var whole = await server.Client.GetAsync("/data/picture?split=train&row=0");
        await File.WriteAllTextAsync(_folder["data/train/cat/broken.png"], "no picture");
        File.Delete(_folder["data/train/cat/gone.png"]);

        using var broken = await server.Client.GetAsync("/data/picture?split=train&row=0");
        using var gone = await server.Client.GetAsync("/data/picture?split=train&row=1");

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity, HttpStatusCode.NotFound], [whole.StatusCode, broken.StatusCode, gone.StatusCode]);
        Assert.Equal("The dataset's file cannot be read.", JsonNode.Parse(await gone.Content.ReadAsStringAsync())!["error"]!.GetValue<string>());
        Assert.DoesNotContain(_folder.Path, await broken.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/runs/a", HttpStatusCode.OK)]
    [InlineData("/runs/sweep/b?part=card", HttpStatusCode.OK)]
    [InlineData("/runs", HttpStatusCode.OK)]
    [InlineData("/runs/absent", HttpStatusCode.NotFound)]
    [InlineData("/runs/sweep", HttpStatusCode.NotFound)]
    [InlineData("/nowhere", HttpStatusCode.NotFound)]
    public async Task A_page_is_found_where_there_is_something_to_show(string address, HttpStatusCode status)
    {
        _folder.WriteText("runs/a/events.jsonl", "");
        _folder.WriteText("runs/sweep/b/events.jsonl", "");
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Runs = _folder["runs"] });

        using var answer = await server.Client.GetAsync(address);

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains("<!DOCTYPE html>", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_is_refused_when_it_is_huge_no_picture_or_from_another_page()
    {
        await using var server = await RunningServer.StudioAsync(new StudioOptions());

        using var bomb = await server.Client.PostAsync("/pictures", new ByteArrayContent(BrokenUploadTests.Bomb()));
        using var text = await server.Client.PostAsync("/pictures", new ByteArrayContent("no picture"u8.ToArray()));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/pictures") { Content = new ByteArrayContent(TestPictures.Png(1, 2, 3)) };
        request.Headers.Add("Origin", "http://evil.example.org");
        using var foreign = await server.Client.SendAsync(request);

        Assert.Equal(
            [HttpStatusCode.BadRequest, HttpStatusCode.UnsupportedMediaType, HttpStatusCode.Forbidden],
            [bomb.StatusCode, text.StatusCode, foreign.StatusCode]);
        Assert.Equal(
            """{"error":"A page of another origin may not call this server."}""", await foreign.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_transform_that_would_make_a_huge_picture_is_refused_undrawn()
    {
        await using var server = await RunningServer.StudioAsync(new StudioOptions());

        using var answer = await server.Client.GetAsync("""/transforms/picture?picture=sample&seed=1&pipeline=[{"transform":"Resize","size":[60000,60000]}]""");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(
            "Resize would make a picture of 3600 million pixels; the studio shows up to 24 million.",
            JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!.GetValue<string>());
    }

    [Fact]
    public async Task Uploads_lie_in_a_temporary_folder_that_is_gone_when_the_server_stops()
    {
        string[] kept;
        await using (var server = await RunningServer.StudioAsync(new StudioOptions()))
        {
            using var answer = await server.Client.PostAsync("/pictures", new ByteArrayContent(TestPictures.Png(71, 72, 73)));
            var id = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
            kept = Kept(id);

            Assert.Single(kept);
        }

        Assert.False(Directory.Exists(Path.GetDirectoryName(kept[0])));

        static string[] Kept(string id) =>
            [.. Directory.GetDirectories(Path.GetTempPath(), "vizsla-studio-*").Select(folder => Path.Combine(folder, id)).Where(File.Exists)];
    }

    [Fact]
    public async Task Keys_stay_in_memory()
    {
        await using var server = await RunningServer.StudioAsync(new StudioOptions());

        var keys = server.Application.Services.GetRequiredService<IOptions<KeyManagementOptions>>().Value.XmlRepository;

        Assert.Equal("MemoryKeys", keys?.GetType().Name);
        Assert.NotEmpty(keys!.GetAllElements());
    }
}
