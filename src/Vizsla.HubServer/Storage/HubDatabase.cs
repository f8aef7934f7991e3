using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Vizsla.HubServer.Storage;

/// <summary>The database file: accounts, repositories, commits, trees and small files.</summary>
/// <remarks>
/// Write-ahead log with full synchronization: what a transaction has committed survives a crash of the process and of the machine,
/// what it has not is gone. One writer at a time, across processes; readers never wait.
/// </remarks>
internal sealed class HubDatabase : IDisposable
{
    private const int Version = 2;

    private const string Schema =
        """
        CREATE TABLE users (name TEXT PRIMARY KEY, created TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE tokens (hash TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users, role TEXT NOT NULL, label TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE repositories (id INTEGER PRIMARY KEY, public_id TEXT NOT NULL, type TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
            private INTEGER NOT NULL, gated INTEGER NOT NULL, created TEXT NOT NULL, UNIQUE (type, owner, name));
        CREATE TABLE redirects (type TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            PRIMARY KEY (type, owner, name)) WITHOUT ROWID;
        CREATE TABLE roles (repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE, user TEXT NOT NULL REFERENCES users, role TEXT NOT NULL,
            PRIMARY KEY (repository, user)) WITHOUT ROWID;
        CREATE TABLE commits (repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE, id TEXT NOT NULL, parent TEXT, tree TEXT NOT NULL,
            title TEXT NOT NULL, message TEXT NOT NULL, author TEXT NOT NULL, date TEXT NOT NULL, PRIMARY KEY (repository, id)) WITHOUT ROWID;
        CREATE TABLE refs (sequence INTEGER PRIMARY KEY, repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE, name TEXT NOT NULL, target TEXT NOT NULL,
            UNIQUE (repository, name));
        CREATE TABLE trees (id TEXT PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE blobs (id INTEGER PRIMARY KEY, oid TEXT NOT NULL UNIQUE, content BLOB NOT NULL);
        CREATE TABLE large_files (oid TEXT PRIMARY KEY, size INTEGER NOT NULL, md5 TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE large_links (oid TEXT NOT NULL REFERENCES large_files, repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            PRIMARY KEY (oid, repository)) WITHOUT ROWID;
        CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        """;

    // What version 2 adds to version 1: discussions, and one for each proposal that was there.
    private const string Discussions =
        """
        CREATE TABLE discussions (repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE, number INTEGER NOT NULL, title TEXT NOT NULL, author TEXT NOT NULL,
            created TEXT NOT NULL, status TEXT NOT NULL, is_proposal INTEGER NOT NULL, merged TEXT, PRIMARY KEY (repository, number)) WITHOUT ROWID;
        CREATE TABLE discussion_events (sequence INTEGER PRIMARY KEY, repository INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, author TEXT NOT NULL,
            created TEXT NOT NULL, data TEXT NOT NULL, FOREIGN KEY (repository, number) REFERENCES discussions ON DELETE CASCADE);
        CREATE INDEX discussion_event_order ON discussion_events (repository, number, sequence);
        INSERT INTO discussions SELECT r.repository, CAST(substr(r.name, 9) AS INTEGER), c.title, c.author, c.date, 'open', 1, NULL
            FROM refs r JOIN commits c ON c.repository = r.repository AND c.id = r.target WHERE substr(r.name, 1, 8) = 'refs/pr/';
        """;

    private readonly string _connectionString;
    private readonly SemaphoreSlim _writer = new(1, 1);

    public HubDatabase(string file)
    {
        _connectionString = new SqliteConnectionStringBuilder { DataSource = file, ForeignKeys = true, DefaultTimeout = 60 }.ToString();
        try
        {
            Prepare(file);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 11 or 26)
        {
            throw new IOException($"'{file}' is damaged, or is not the database of a Hub. Restore it from a backup, or start with another folder.", e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 14)
        {
            throw new IOException($"'{file}' cannot be opened. Check who may read and write it, and how many files this process may have open (ulimit -n).", e);
        }
    }

    private void Prepare(string file)
    {
        using var connection = Open();
        Execute(connection, "PRAGMA journal_mode = WAL");
        var version = connection.Scalar<long>("PRAGMA user_version");
        if (version > Version)
        {
            throw new InvalidOperationException($"'{file}' was made by a newer version (format {version}, this one knows {Version}). Run that version, or start with another folder.");
        }

        if (version < Version)
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            var present = connection.Scalar<long>("PRAGMA user_version");
            if (present == 0)
            {
                Execute(connection, Schema);
            }

            if (present < Version)
            {
                Execute(connection, Discussions);
                Execute(connection, $"PRAGMA user_version = {Version}");
            }

            transaction.Commit();
        }
    }

    /// <summary>Reads; the connection sees one state of the database until it is disposed only when it opens a transaction itself.</summary>
    public T Read<T>(Func<SqliteConnection, T> read)
    {
        using var connection = Open();
        return read(connection);
    }

    /// <summary>Writes in one transaction: all of it or nothing, on disk when this returns.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, T> write, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var connection = Open();
            using var transaction = connection.BeginTransaction(deferred: false);
            var result = write(connection);
            transaction.Commit();
            return result;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Opens a connection; the caller disposes it.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        Execute(connection, "PRAGMA synchronous = FULL");
        return connection;
    }

    public void Dispose()
    {
        SqliteConnection.ClearPool(new SqliteConnection(_connectionString));
        _writer.Dispose();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}

/// <summary>Times as the Hub writes them: <c>2026-01-02T03:04:05.000Z</c>.</summary>
internal static class HubClock
{
    /// <summary>The current time.</summary>
    public static string Stamp(this TimeProvider time) => time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Seconds since 1970 of such a text.</summary>
    public static long Seconds(string stamp) => DateTimeOffset.Parse(stamp, CultureInfo.InvariantCulture).ToUnixTimeSeconds();
}
