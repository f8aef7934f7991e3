using System.Security.Cryptography;
using System.Text;
using Vizsla.Testing.Hub;

namespace Vizsla.Hub.Tests.Transfers;

/// <summary>A client and a hub whose every answer the test decides.</summary>
internal sealed class ClientFixture : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly RawServer _server;
    private readonly List<RawRequest> _requests = [];

    public ClientFixture(Func<ClientFixture, RawRequest, RawAnswer> answer)
    {
        _server = new RawServer(request =>
        {
            lock (_requests)
            {
                _requests.Add(request);
            }

            return answer(this, request);
        });
        Client = Make();
    }

    public static RepoId Repo { get; } = RepoId.Model("user/repo");

    public string Folder { get; } = Directory.CreateTempSubdirectory("vizsla-client-").FullName;

    public Uri Storage => _server.Storage;

    public Uri Endpoint => _server.Hub;

    public InstantTime Time { get; } = new();

    public HubClient Client { get; }

    public IReadOnlyList<RawRequest> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    public HubClient Make(Func<HubOptions, HubOptions>? change = null)
    {
        var options = HubOptions.FromEnvironment(name => name switch
        {
            "HF_HOME" => Path.Combine(Folder, "hf"),
            "HF_ENDPOINT" => _server.Hub.ToString(),
            "HF_TOKEN" => "hf_secretword",
            _ => null,
        });
        return new HubClient(change?.Invoke(options) ?? options, null, Time);
    }

    public static RawAnswer Head(long size, string etag, params (string Name, string Value)[] more) =>
        Answer(200, [], [("X-Repo-Commit", Commit), ("ETag", $"\"{etag}\""), ("Content-Length", $"{size}"), .. more]);

    public static RawAnswer Redirect(int status, Uri target, params (string Name, string Value)[] more) => Answer(status, [], [("Location", target.ToString()), .. more]);

    public static RawAnswer Json(string json, int status = 200, params (string Name, string Value)[] more) => Answer(status, Encoding.UTF8.GetBytes(json), [("Content-Type", "application/json"), .. more]);

    public static RawAnswer Answer(int status, byte[] body, params (string Name, string Value)[] headers) =>
        new(status, [.. headers.Select(h => KeyValuePair.Create(h.Name, h.Value))], body);

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Files below the fixture's folder that are neither locks nor tags.</summary>
    public IReadOnlyList<string> Written => [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(Folder, f).Replace('\\', '/')).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal) && !f.EndsWith("CACHEDIR.TAG", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
