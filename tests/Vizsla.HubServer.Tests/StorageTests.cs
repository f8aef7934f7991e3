using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Vizsla.Hub;

namespace Vizsla.HubServer.Tests;

/// <summary>The Hub's folder: who may read it, and what a damaged one says.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class StorageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vizsla-storage-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_folder_that_was_there_is_closed_to_others_and_the_log_says_that_it_was_open()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        File.SetUnixFileMode(_folder, (UnixFileMode)Convert.ToInt32("755", 8));
        using var log = new KeptLog();

        await using (await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = _folder, Port = 0 }, logging => logging.AddProvider(log)))
        {
            Assert.Equal("700", Mode(_folder));
            Assert.All(Directory.GetFiles(_folder), file => Assert.Equal("600", Mode(file)));
        }

        Assert.Equal([$"'{_folder}' was open to other users of this computer (mode 755); it has mode 700 now. If they should not have read it, make new tokens."], log.Warnings);
        File.SetUnixFileMode(Path.Combine(_folder, "hub.db"), (UnixFileMode)Convert.ToInt32("644", 8));
        await using (await HubServerHost.StartAsync(new HubServerOptions { DataDirectory = _folder, Port = 0 }, logging => logging.AddProvider(log)))
        {
            Assert.Equal("600", Mode(Path.Combine(_folder, "hub.db")));
        }

        Assert.Equal($"'{Path.Combine(_folder, "hub.db")}' was open to other users of this computer (mode 644); it has mode 600 now. If they should not have read it, make new tokens.", log.Warnings[^1]);
    }

    [Fact]
    public void A_damaged_database_is_named_in_a_sentence()
    {
        var file = Path.Combine(_folder, "hub.db");
        File.WriteAllText(file, "this is no database, whatever its name says, and it is longer than the header of one");

        var e = Assert.Throws<IOException>(() => new HubAdministration(_folder));

        Assert.Equal($"'{file}' is damaged, or is not the database of a Hub. Restore it from a backup, or start with another folder.", e.Message);
    }

    [Fact]
    public async Task A_database_of_the_first_version_gets_its_discussions()
    {
        // What the first version left: no tables of discussions, and a proposal as a reference alone.
        var options = new HubServerOptions { DataDirectory = _folder, Port = 0 };
        await using (var host = await HubServerHost.StartAsync(options))
        {
            using var client = ClientOf(host);
            await client.CreateRepoAsync(RepoId.Model("user/first"));
            await client.CommitAsync(RepoId.Model("user/first"), [new CommitAdd("a.txt", "a"u8.ToArray())], "Propose", new CommitOptions { CreatePullRequest = true });
        }

        Execute("DROP TABLE discussion_events; DROP TABLE discussions; PRAGMA user_version = 1");
        await using var again = await HubServerHost.StartAsync(options);
        using var http = new HttpClient { BaseAddress = again.Address };

        var listed = await http.GetStringAsync("/api/models/user/first/discussions");

        Assert.Contains("""{"num":1,"title":"Propose","author":{"name":"user","type":"user"}""", listed, StringComparison.Ordinal);
    }

    private HubClient ClientOf(HubServerHost host) => new(HubOptions.FromEnvironment(name => name switch
    {
        "HF_HOME" => Path.Combine(_folder, "client"),
        "HF_ENDPOINT" => host.Address.ToString(),
        "HF_TOKEN" => File.ReadAllText(host.TokenFile),
        _ => null,
    }));

    private void Execute(string sql)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_folder, "hub.db")};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8);

    private sealed class KeptLog : ILoggerProvider, ILogger
    {
        public List<string> Warnings { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning)
            {
                lock (Warnings)
                {
                    Warnings.Add(formatter(state, exception));
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
