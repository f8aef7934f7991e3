using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Recorded;

/// <summary>One scenario in C#: its folder, its clients, its recorded hub.</summary>
internal sealed class ClientRun : IAsyncDisposable
{
    private readonly List<HubClient> _clients = [];

    public ClientRun(Recording recording, IEnumerable<byte[]> contents)
    {
        Recording = recording;
        Hub = new RecordedHub(contents);
        Directory.CreateDirectory(Folder);
        Client = With();
    }

    /// <summary>What the real client did.</summary>
    public Recording Recording { get; }

    /// <summary>Answers as then.</summary>
    public RecordedHub Hub { get; }

    /// <summary>The recording's <c>&lt;tmp&gt;</c>.</summary>
    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"vizsla-hub-{Guid.NewGuid():N}");

    /// <summary>Its waits are over at once.</summary>
    public InstantTime Time { get; } = new();

    /// <summary>The client of the user "user", who may write.</summary>
    public HubClient Client { get; }

    /// <summary>The recorded first commit.</summary>
    public string FirstCommit => Recording.Steps.SelectMany(s => s.Exchanges).Select(e => (string?)e.Response["headers"]!["X-Repo-Commit"] ?? (string?)e.Response["body"]?["json"]?["sha"]).First(c => c is not null)!;

    /// <summary>Options of a client, as the recording's environment.</summary>
    public HubOptions Options => HubOptions.FromEnvironment(name => name switch
    {
        "HF_HOME" => Path.Combine(Folder, "hf"),
        "HF_ENDPOINT" => Hub.Endpoint.ToString(),
        "HF_TOKEN" => "hf_writer",
        "HOME" => Path.Combine(Folder, "home"),
        _ => null,
    });

    /// <summary>Another client of the same run, as in a new process.</summary>
    public HubClient With(Func<HubOptions, HubOptions>? change = null)
    {
        var client = new HubClient(change?.Invoke(Options) ?? Options, null, Time);
        _clients.Add(client);
        return client;
    }

    /// <summary>Writes a file below the run's folder.</summary>
    public void Write(string path, byte[] bytes)
    {
        var file = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        await Hub.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
