using Vizsla.Hub;
using Vizsla.HubServer;
using Vizsla.Testing;

namespace Vizsla.Tests.Datasets;

/// <summary>A Hub of our own for one test, and a client of it with an empty cache.</summary>
internal sealed class HubRun : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly HubServerHost _host;

    private HubRun(TemporaryFolder folder, HubServerHost host)
    {
        (_folder, _host) = (folder, host);
        Client = NewClient("cache");
    }

    public HubClient Client { get; }

    public static async Task<HubRun> StartAsync()
    {
        var folder = new TemporaryFolder();
        return new(folder, await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = folder["hub"], Port = 0 }));
    }

    /// <summary>A client with a cache of its own.</summary>
    public HubClient NewClient(string cache, bool offline = false) => new(HubOptions.FromEnvironment(name => name switch
    {
        "HF_HOME" => _folder[cache],
        "HF_ENDPOINT" => _host.Address.ToString(),
        "HF_TOKEN" => File.ReadAllText(_host.TokenFile).Trim(),
        "HF_HUB_OFFLINE" => offline ? "1" : null,
        _ => null,
    }));

    public async Task<string> ReadAsync(RepoId repo, string path, string? revision = null) =>
        await File.ReadAllTextAsync(await Client.DownloadFileAsync(repo, path, revision));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _host.DisposeAsync();
        _folder.Dispose();
    }
}
