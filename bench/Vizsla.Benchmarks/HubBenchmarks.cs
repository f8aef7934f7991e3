using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Vizsla.Hub;
using Vizsla.HubServer;

namespace Vizsla.Benchmarks;

/// <summary>A Hub of one's own that many download large files from at once, beside a plain file server, each in a process of its own.</summary>
internal static class HubBenchmarks
{
    private const int ClientCount = 64;
    private const int FileCount = 4;
    private const int FileSize = 100_000_000;
    private const int Rounds = 3;
    private const string HubRole = "hub";
    private const string PlainRole = "plain";
    private static readonly RepoId Repo = RepoId.Dataset("user/large");

    /// <summary>Throughput of 64 downloads of 100 MB at once, and the memory of the server.</summary>
    /// <param name="args">Nothing; a role and a folder in the processes that it starts.</param>
    public static void Load(string[] args) => (args is [var role, var folder] ? ServeAsync(role, folder) : MeasureAsync()).GetAwaiter().GetResult();

    private static async Task MeasureAsync()
    {
        var folder = Directory.CreateTempSubdirectory("vizsla-benchmark-hub-").FullName;
        try
        {
            var files = Enumerable.Range(0, FileCount).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i}.bin")).ToArray();
            Array.ForEach(files, f => File.WriteAllBytes(Path.Combine(folder, f), RandomNumberGenerator.GetBytes(FileSize)));
            using var hub = new Server(HubRole, Path.Combine(folder, "hub-data"));
            using var plain = new Server(PlainRole, folder);
            using (var client = new HubClient(HubOptions.FromEnvironment(name => name switch
            {
                "HF_HOME" => Path.Combine(folder, "home"),
                "HF_ENDPOINT" => hub.Address.ToString(),
                "HF_TOKEN_PATH" => Path.Combine(folder, "hub-data", "token"),
                _ => null,
            })))
            {
                await client.CreateRepoAsync(Repo);
                await client.CommitAsync(Repo, [.. files.Select(f => new CommitAdd(f, Path.Combine(folder, f)))], "Add");
            }

            Console.WriteLine($"{ClientCount} downloads of {FileSize / 1_000_000} MB at once, {Rounds} rounds of each in turn; MB/s, memory of the server in MiB before and at its most");
            var (hubRates, plainRates) = (new List<double>(), new List<double>());
            for (var round = 0; round < Rounds; round++)
            {
                plainRates.Add(await RoundAsync(plain, files, f => "/" + f));
                hubRates.Add(await RoundAsync(hub, files, f => $"/{Repo}/resolve/main/{f}"));
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the Hub does {hubRates.Max() / plainRates.Max():P0} of the plain server by the best rounds, {hubRates.Average() / plainRates.Average():P0} by the mean"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> RoundAsync(Server server, string[] files, Func<string, string> path)
    {
        using var client = new HttpClient { BaseAddress = server.Address };
        var before = server.Memory;
        var most = before;
        using var timer = new Timer(_ => most = Math.Max(most, server.Memory), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(50));
        var watch = Stopwatch.StartNew();
        var counts = await Task.WhenAll(Enumerable.Range(0, ClientCount).Select(i => DownloadAsync(client, path(files[i % files.Length]))));
        var rate = counts.Sum() / 1e6 / watch.Elapsed.TotalSeconds;
        if (counts.Any(c => c != FileSize))
        {
            throw new InvalidDataException("A download is not whole.");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {server.Role,-6} {rate,7:F0} MB/s   {before,5:F0} MiB, {most,5:F0} MiB"));
        return rate;
    }

    private static async Task<long> DownloadAsync(HttpClient client, string path)
    {
        var buffer = new byte[128 * 1024];
        using var answer = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        using var body = await answer.Content.ReadAsStreamAsync();
        var count = 0L;
        int read;
        while ((read = await body.ReadAsync(buffer)) > 0)
        {
            count += read;
        }

        return count;
    }

    private static async Task ServeAsync(string role, string folder)
    {
        if (role == HubRole)
        {
            await using var host = await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = folder, Port = 0 });
            Console.WriteLine(host.Address);
            await host.RunAsync(CancellationToken.None);
            return;
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        await using var application = builder.Build();
        application.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(folder), ServeUnknownFileTypes = true });
        await application.StartAsync();
        Console.WriteLine(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await Task.Delay(Timeout.Infinite);
    }

    private sealed class Server : IDisposable
    {
        private readonly Process _process;

        public Server(string role, string folder)
        {
            Role = role;
            _process = Process.Start(new ProcessStartInfo("dotnet", [typeof(HubBenchmarks).Assembly.Location, HubRole, role, folder]) { RedirectStandardOutput = true })!;
            Address = new Uri(_process.StandardOutput.ReadLine()!);
        }

        public string Role { get; }

        public Uri Address { get; }

        /// <summary>Memory of the process in MiB.</summary>
        public double Memory
        {
            get
            {
                _process.Refresh();
                return _process.WorkingSet64 / 1048576.0;
            }
        }

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
