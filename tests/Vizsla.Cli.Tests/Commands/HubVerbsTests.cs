using System.Text;
using Vizsla.Hub;
using Vizsla.HubServer;
using Vizsla.Testing;
using Vizsla.Testing.Hub;

namespace Vizsla.Cli.Tests.Commands;

/// <summary>The verbs around a Hub, each in a process of its own.</summary>
public sealed class HubVerbsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private HubServerHost _server = null!;
    private Dictionary<string, string> _machine = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = _folder["hub-data"], Port = 0 });
        _machine = new() { ["HF_ENDPOINT"] = _server.Address.ToString(), ["HF_HOME"] = _folder["home"] };
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Who_logs_in_pushes_pulls_and_makes_room()
    {
        _folder.WriteText("model/config.json", """{"model_type": "vit"}""");
        await File.WriteAllBytesAsync(_folder.Reserve("model/model.safetensors"), Noise.Make(3_000_000, "weights"));
        _folder.WriteText("model/run.lock", "");
        _folder.WriteText("model/checkpoint-5/model.safetensors", "not for others");

        var login = await RunAsync("login", "--token_file", Path.Combine("hub-data", "token"));
        var user = await RunAsync("whoami");
        var pushed = await RunAsync("push", "--model", "model", "--repo", "pets", "--private", "--message", "First");
        var again = await RunAsync("push", "--model", "model", "--repo", "pets");

        Assert.StartsWith($"Logged in to {Server} as user (write); the token is kept in '{_folder["home", "token"]}'.", login.Out, StringComparison.Ordinal);
        Assert.Equal("user", user.Out.Trim());
        Assert.StartsWith($"Pushed to {Server}/user/pets (", pushed.Out, StringComparison.Ordinal);
        Assert.Equal($"{Server}/user/pets has these files already.", again.Out.Trim());
        Assert.DoesNotContain(TokenStore.Read(_folder["home", "token"])!.Reveal(), login.Out + login.Error + pushed.Out + pushed.Error, StringComparison.Ordinal);

        // Two processes on one empty cache fetch each file once, whole, and agree on the place.
        var pulls = await Task.WhenAll(RunAsync("pull", "--repo", "user/pets"), RunAsync("pull", "--repo", "user/pets"));
        var place = Assert.Single(pulls.Select(p => p.Out.Trim()).Distinct());
        Assert.Equal([".gitattributes", "config.json", "model.safetensors"], Directory.EnumerateFiles(place).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        Assert.Equal(Noise.Make(3_000_000, "weights"), await File.ReadAllBytesAsync(Path.Combine(place, "model.safetensors")));
        Assert.Empty(Directory.EnumerateFiles(_folder["home"], "*.incomplete", SearchOption.AllDirectories));

        var list = await RunAsync("cache", "list");
        var deleted = await RunAsync("cache", "delete", "user/pets");
        var empty = await RunAsync("cache", "list");
        var forgotten = await RunAsync("login", "--forget");

        Assert.Contains("1 repositories, 3.0 MB", list.Out, StringComparison.Ordinal);
        Assert.Equal("Removed; 3.0 MB are free.", deleted.Out.Trim());
        Assert.StartsWith("0 repositories", empty.Out.Trim().Split('\n')[^1], StringComparison.Ordinal);
        Assert.Equal($"Removed '{_folder["home", "token"]}'.", forgotten.Out.Trim());
        Assert.False(File.Exists(_folder["home", "token"]));
    }

    [Fact]
    public async Task A_bare_name_of_timm_asks_for_its_default_weights_and_says_what_else_would_do()
    {
        _folder.WriteText("photo.png", "");
        _machine["HF_HUB_OFFLINE"] = "1";

        var (code, _, error) = await CliProcess.TryAsync(_folder.Path, _machine, "predict", "photo.png", "--model", "resnet18");

        Assert.Equal(1, code);
        Assert.Equal(
            "The weights of 'resnet18' are not on this machine, and 'timm/resnet18.a1_in1k' could not be fetched. No snapshot of model 'timm/resnet18.a1_in1k' at 'main' is cached, and the Hub could not be asked: "
            + "Could not look up model 'timm/resnet18.a1_in1k' at 'main': it is not in the cache and offline mode is on. Unset HF_HUB_OFFLINE to ask the Hub. "
            + "Give a folder that holds them with their config.json, or put them here as resnet18.safetensors.",
            error.TrimEnd());
    }

    [Fact]
    public async Task A_proxy_of_the_environment_is_used()
    {
        var asked = new List<RawRequest>();
        await using var proxy = new RawServer(request =>
        {
            asked.Add(request);
            return new RawAnswer(200, [KeyValuePair.Create("Content-Type", "application/json")], Encoding.UTF8.GetBytes("""{"name":"anna"}"""));
        });
        _machine["HF_ENDPOINT"] = "http://hub.example.invalid";
        _machine["HF_TOKEN"] = "hf_anna";
        _machine["http_proxy"] = proxy.Hub.ToString();

        var user = await RunAsync("whoami");

        Assert.Equal("anna", user.Out.Trim());
        Assert.Equal("http://hub.example.invalid/api/whoami-v2", Assert.Single(asked).Path);
    }

    private string Server => _server.Address.ToString().TrimEnd('/');

    private Task<(string Out, string Error)> RunAsync(params string[] words) => CliProcess.RunAsync(_folder.Path, _machine, words);
}
