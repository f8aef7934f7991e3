using Microsoft.Extensions.DependencyInjection;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Tests.Recorded;

/// <summary>A server with the recordings' accounts, and a hand in its state between steps.</summary>
internal sealed class ServerRun : IAsyncDisposable
{
    private readonly string _folder;
    private readonly HubServerHost _host;

    private ServerRun(string folder, HubServerOptions options, HubServerHost host)
    {
        _folder = folder;
        _host = host;
        Options = options;
        Client = new HubClient(HubOptions.FromEnvironment(name => name switch
        {
            "HF_HOME" => Path.Combine(folder, "client"),
            "HF_ENDPOINT" => host.Address.ToString(),
            "HF_TOKEN" => "hf_writer",
            _ => null,
        }));
    }

    public HubServerOptions Options { get; }

    public HubClient Client { get; }

    public Uri Hub => _host.Address;

    public Uri Storage => _host.StorageAddress!;

    public static async Task<ServerRun> StartAsync()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"vizsla-hubserver-{Guid.NewGuid():N}");
        var options = new HubServerOptions { DataDirectory = folder, Port = 0, StoragePort = 0 };
        var host = await HubServerHost.StartAsync(options);
        var accounts = host.Services.GetRequiredService<AccountStore>();
        await accounts.AddUserAsync("other", CancellationToken.None);
        await accounts.AddTokenAsync("user", "hf_writer", TokenRole.Write, "test", CancellationToken.None);
        await accounts.AddTokenAsync("user", "hf_reader", TokenRole.Read, "test", CancellationToken.None);
        await accounts.AddTokenAsync("other", "hf_other", TokenRole.Write, "test", CancellationToken.None);
        return new ServerRun(folder, options, host);
    }

    /// <summary>Puts files into a repository, made when absent.</summary>
    public async Task SeedAsync(RepoId repo, IEnumerable<KeyValuePair<string, byte[]>> files, string title = "Upload files", bool isPrivate = false, bool isGated = false)
    {
        await Client.CreateRepoAsync(repo, isPrivate, existOk: true);
        await Client.CommitAsync(repo, [.. files.Select(f => new CommitAdd(f.Key, f.Value))], title);
        if (isGated)
        {
            var store = _host.Services.GetRequiredService<RepositoryStore>();
            await store.SetAccessAsync(store.Find(repo)!, isPrivate, Gating.Auto, CancellationToken.None);
        }
    }

    /// <summary>Makes believe that the storage has a large file whose bytes nobody has, sent to some repository of "user".</summary>
    public Task PretendAsync(string oid, long size)
    {
        var repositories = _host.Services.GetRequiredService<RepositoryStore>();
        var repository = repositories.List(RepoType.Model, "user", null).Concat(repositories.List(RepoType.Dataset, "user", null)).First();
        return _host.Services.GetRequiredService<HubDatabase>().WriteAsync(
            c =>
            {
                c.Run("INSERT OR IGNORE INTO large_files VALUES ($oid, $size, 'unknown')", ("$oid", oid), ("$size", size));
                return c.Run("INSERT OR IGNORE INTO large_links VALUES ($oid, $id)", ("$oid", oid), ("$id", repository.Key));
            },
            CancellationToken.None);
    }

    /// <summary>Points a reference at a commit.</summary>
    public Task PointAsync(RepoId repo, string name, string commit)
    {
        var repository = _host.Services.GetRequiredService<RepositoryStore>().Find(repo)!;
        return _host.Services.GetRequiredService<HubDatabase>().WriteAsync(
            c =>
            {
                ReferenceStore.Set(c, repository, name, commit);
                return true;
            },
            CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
