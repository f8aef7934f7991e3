using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;

namespace Vizsla.HubServer.Tests;

/// <summary>A server in a folder of its own, with the users anna and ben beside the first one.</summary>
internal sealed class ServerFixture : IAsyncDisposable
{
    private readonly List<IDisposable> _owned = [];

    private ServerFixture(string folder, HubServerHost host)
    {
        Folder = folder;
        Host = host;
    }

    public string Folder { get; }

    public HubServerHost Host { get; }

    public static async Task<ServerFixture> StartAsync(Func<HubServerOptions, HubServerOptions>? change = null, TimeProvider? time = null)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"vizsla-server-{Guid.NewGuid():N}");
        var options = new HubServerOptions { DataDirectory = folder, Port = 0 };
        var fixture = new ServerFixture(folder, await HubServerHost.StartAsync(change?.Invoke(options) ?? options, time: time));
        var accounts = fixture.Host.Services.GetRequiredService<AccountStore>();
        foreach (var name in new[] { "anna", "ben" })
        {
            await accounts.AddUserAsync(name, CancellationToken.None);
            await accounts.AddTokenAsync(name, $"hf_{name}", TokenRole.Write, "test", CancellationToken.None);
            await accounts.AddTokenAsync(name, $"hf_{name}_reads", TokenRole.Read, "test", CancellationToken.None);
        }

        return fixture;
    }

    /// <summary>A client of a user; null of nobody.</summary>
    public HubClient Client(string? token)
    {
        var client = new HubClient(
            HubOptions.FromEnvironment(name => name switch
            {
                "HF_HOME" => Path.Combine(Folder, "client-" + _owned.Count),
                "HF_ENDPOINT" => Host.Address.ToString(),
                "HF_TOKEN" => token,
                _ => null,
            }),
            null,
            new Testing.Hub.InstantTime());
        _owned.Add(client);
        return client;
    }

    /// <summary>Bare HTTP as a user; null as nobody.</summary>
    public HttpClient Http(string? token)
    {
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Host.Address };
        http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        _owned.Add(http);
        return http;
    }

    public async ValueTask DisposeAsync()
    {
        _owned.ForEach(o => o.Dispose());
        await Host.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
