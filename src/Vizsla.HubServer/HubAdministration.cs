using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer;

/// <summary>Users, tokens and roles of a Hub's folder; works while the Hub runs and while it does not.</summary>
public sealed partial class HubAdministration : IDisposable
{
    private const string FirstUser = "user";
    private const string DatabaseFile = "hub.db";
    private const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly HubDatabase _database;
    private readonly AccountStore _accounts;
    private readonly RepositoryStore _repositories;

    /// <param name="dataDirectory">The Hub's folder.</param>
    /// <exception cref="DirectoryNotFoundException">It is not the data folder of a Hub.</exception>
    public HubAdministration(string dataDirectory)
    {
        if (!File.Exists(Path.Combine(dataDirectory, DatabaseFile)))
        {
            throw new DirectoryNotFoundException($"'{dataDirectory}' is not the data folder of a Hub. Start one there with 'vizsla hub serve --data {dataDirectory}'.");
        }

        _database = OpenDatabase(dataDirectory);
        _accounts = new AccountStore(_database, TimeProvider.System);
        _repositories = new RepositoryStore(_database, TimeProvider.System);
    }

    /// <summary>Names of all users.</summary>
    public IReadOnlyList<string> Users => _accounts.Users();

    /// <summary>Adds a user, who owns repositories of that name.</summary>
    /// <param name="name">Letters, digits, <c>-</c>, <c>_</c>, <c>.</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ArgumentException">The name is taken, reserved or invalid.</exception>
    public Task AddUserAsync(string name, CancellationToken cancellationToken = default) => _accounts.AddUserAsync(name, cancellationToken);

    /// <summary>Creates a token; it is shown this once and stored only as a hash.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="role">What it may do.</param>
    /// <param name="label">A name to know it by.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ArgumentException">There is no such user.</exception>
    public Task<string> CreateTokenAsync(string user, TokenRole role, string label, CancellationToken cancellationToken = default) => _accounts.CreateTokenAsync(user, role, label, cancellationToken);

    /// <summary>Revokes all tokens of a user.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>How many there were.</returns>
    public Task<int> RevokeTokensAsync(string user, CancellationToken cancellationToken = default) => _accounts.RevokeAsync(user, cancellationToken);

    /// <summary>Lets a user read or write somebody else's repository, or no longer.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="user">Who.</param>
    /// <param name="role">What they may do; none takes it back.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ArgumentException">There is no such repository or user.</exception>
    public Task SetRoleAsync(RepoId repo, string user, TokenRole role, CancellationToken cancellationToken = default)
    {
        var repository = _repositories.Find(repo) ?? throw new ArgumentException($"There is no {repo.TypeName} '{repo.Id}' on this Hub.", nameof(repo));
        return _accounts.Users().Contains(user)
            ? _repositories.SetRoleAsync(repository, user, role, cancellationToken)
            : throw new ArgumentException($"There is no user '{user}'. Known: {string.Join(", ", _accounts.Users())}.", nameof(user));
    }

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();

    internal static HubDatabase OpenDatabase(string dataDirectory, ILogger? logger = null)
    {
        // Private repositories lie in it, and the key that signs links: nobody else on this machine looks in.
        var file = Path.Combine(dataDirectory, DatabaseFile);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(dataDirectory);
            return new HubDatabase(file);
        }

        const UnixFileMode OwnFolder = OwnFile | UnixFileMode.UserExecute;
        Directory.CreateDirectory(dataDirectory, OwnFolder);
        Close(dataDirectory, OwnFolder, logger);
        new FileStream(file, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, UnixCreateMode = OwnFile }).Dispose();
        // SQLite gives its two other files the mode of the first.
        foreach (var path in new[] { file, file + "-wal", file + "-shm" }.Where(File.Exists))
        {
            Close(path, OwnFile, logger);
        }

        return new HubDatabase(file);
    }

    [UnsupportedOSPlatform("windows")]
    private static void Close(string path, UnixFileMode own, ILogger? logger)
    {
        var mode = File.GetUnixFileMode(path);
        if ((mode & ~own) != 0)
        {
            File.SetUnixFileMode(path, own);
            if (logger is not null)
            {
                LogWasOpen(logger, path, Convert.ToString((int)mode, 8), Convert.ToString((int)own, 8));
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Path}' was open to other users of this computer (mode {Before}); it has mode {Now} now. If they should not have read it, make new tokens.")]
    private static partial void LogWasOpen(ILogger logger, string path, string before, string now);

    // The token in the file always works: one that the operator has put there, or one that is made at the first start.
    internal static async Task<string> EnsureFirstUserAsync(AccountStore accounts, HubServerOptions options, CancellationToken cancellationToken)
    {
        var file = Path.GetFullPath(options.TokenFile ?? Path.Combine(options.DataDirectory, "token"));
        var isFirst = accounts.Users().Count == 0;
        if (isFirst)
        {
            await accounts.AddUserAsync(FirstUser, cancellationToken).ConfigureAwait(false);
        }

        if (TokenStore.Read(file) is { } given)
        {
            if (accounts.Find(given.Reveal()) is null)
            {
                await accounts.AddTokenAsync(FirstUser, given.Reveal(), TokenRole.Write, Path.GetFileName(file), cancellationToken).ConfigureAwait(false);
            }
        }
        else if (isFirst)
        {
            TokenStore.Write(file, new HubToken(await accounts.CreateTokenAsync(FirstUser, TokenRole.Write, Path.GetFileName(file), cancellationToken).ConfigureAwait(false)));
        }

        return file;
    }
}
