using Vizsla.Hub;
using Vizsla.HubServer;
using Vizsla.Testing;
using Vizsla.Testing.Hub;

namespace Vizsla.Tests;

/// <summary>A Hub in this process, and its first user's client with a cache of its own.</summary>
internal sealed class OwnHub : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly HubServerHost _host;
    private readonly List<HubClient> _clients = [];

    private OwnHub(TemporaryFolder folder, HubServerHost host)
    {
        (_folder, _host) = (folder, host);
        Token = TokenStore.Read(host.TokenFile)!;
        Client = Make();
    }

    public HubToken Token { get; }

    public HubClient Client { get; }

    public static async Task<OwnHub> StartAsync()
    {
        var folder = new TemporaryFolder();
        return new(folder, await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = folder["hub"], Port = 0 }));
    }

    /// <summary>Another client with an empty cache.</summary>
    public HubClient Make()
    {
        var client = At(_host.Address, Token, _folder["client-" + _clients.Count]);
        _clients.Add(client);
        return client;
    }

    /// <summary>A client of any Hub, which never waits between attempts.</summary>
    public static HubClient At(Uri endpoint, HubToken? token, string home) => new(
        HubOptions.FromEnvironment(name => name switch { "HF_HOME" => home, "HF_ENDPOINT" => endpoint.ToString(), _ => null }) with { Token = token },
        time: new InstantTime());

    /// <summary>Titles of the commits of a branch, oldest first.</summary>
    public async Task<IReadOnlyList<string>> TitlesAsync(RepoId repo, string? revision = null) => [.. (await Client.ListCommitsAsync(repo, revision)).Select(c => c.Title).Reverse()];

    /// <summary>Files of a branch.</summary>
    public async Task<IReadOnlyList<string>> FilesAsync(RepoId repo, string? revision = null) =>
        [.. (await Client.ListTreeAsync(repo, revision).ToListAsync()).Where(e => !e.IsFolder).Select(e => e.Path).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        await _host.DisposeAsync();
        _folder.Dispose();
    }
}
