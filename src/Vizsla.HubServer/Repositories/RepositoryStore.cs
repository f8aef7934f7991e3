using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Repositories;

/// <summary>Repositories, who may do what in them, and where renamed ones have gone.</summary>
internal sealed class RepositoryStore(HubDatabase database, TimeProvider time)
{
    private const string Columns = "id, public_id, type, owner, name, private, gated, created";

    /// <summary>A repository; null when there is none.</summary>
    public Repository? Find(RepoId id) => database.Read(c => Find(c, id));

    /// <summary>A repository within a transaction; null when there is none.</summary>
    public static Repository? Find(SqliteConnection connection, RepoId id) => connection.Rows(
        $"SELECT {Columns} FROM repositories WHERE type = $type AND owner = $owner AND name = $name", Row, Names(id)).FirstOrDefault();

    /// <summary>The name that a former name leads to; null when it leads nowhere.</summary>
    public RepoId? Redirect(RepoId id) => database.Read(c => c.Rows(
        "SELECT r.type, r.owner, r.name FROM redirects d JOIN repositories r ON r.id = d.repository WHERE d.type = $type AND d.owner = $owner AND d.name = $name",
        r => Parse(r.GetString(0), r.GetString(1), r.GetString(2)), Names(id))).FirstOrDefault();

    /// <summary>Repositories of a type, by name.</summary>
    public IReadOnlyList<Repository> List(RepoType type, string? owner, string? search) => database.Read(c => c.Rows(
        $"SELECT {Columns} FROM repositories WHERE type = $type AND ($owner IS NULL OR owner = $owner) AND ($search IS NULL OR instr(lower(owner || '/' || name), lower($search)) > 0) ORDER BY owner, name",
        Row, ("$type", Word(type)), ("$owner", owner), ("$search", search)));

    /// <summary>Makes a row, within the transaction that also makes its first commit.</summary>
    /// <returns>The repository; null when the name is taken.</returns>
    public Repository? Create(SqliteConnection connection, RepoId id, bool isPrivate)
    {
        if (Find(connection, id) is not null)
        {
            return null;
        }

        // A new repository takes a name back that led elsewhere.
        connection.Run("DELETE FROM redirects WHERE type = $type AND owner = $owner AND name = $name", Names(id));
        connection.Run(
            "INSERT INTO repositories (public_id, type, owner, name, private, gated, created) VALUES ($public, $type, $owner, $name, $private, $gated, $now)",
            [("$public", RandomNumberGenerator.GetHexString(24, lowercase: true)), ("$private", isPrivate), ("$gated", (int)Gating.None), ("$now", time.Stamp()), .. Names(id)]);
        return Find(connection, id);
    }

    /// <summary>Removes a repository with its history.</summary>
    public Task DeleteAsync(Repository repository, CancellationToken cancellationToken) =>
        database.WriteAsync(c => c.Run("DELETE FROM repositories WHERE id = $id", ("$id", repository.Key)), cancellationToken);

    /// <summary>Renames a repository; its old name leads to the new one.</summary>
    /// <returns>False when the new name is taken.</returns>
    public Task<bool> MoveAsync(Repository repository, RepoId target, CancellationToken cancellationToken) => database.WriteAsync(
        c =>
        {
            if (Find(c, target) is not null)
            {
                return false;
            }

            c.Run("DELETE FROM redirects WHERE type = $type AND owner = $owner AND name = $name", Names(target));
            c.Run("UPDATE repositories SET owner = $owner, name = $name WHERE id = $id", ("$owner", target.Owner), ("$name", target.Name), ("$id", repository.Key));
            c.Run("INSERT OR REPLACE INTO redirects VALUES ($type, $owner, $name, $id)", [("$id", repository.Key), .. Names(repository.Id)]);
            return true;
        },
        cancellationToken);

    /// <summary>Hides or shows a repository, closes or opens its files.</summary>
    public Task SetAccessAsync(Repository repository, bool isPrivate, Gating gating, CancellationToken cancellationToken) => database.WriteAsync(
        c => c.Run("UPDATE repositories SET private = $private, gated = $gated WHERE id = $id", ("$private", isPrivate), ("$gated", (int)gating), ("$id", repository.Key)), cancellationToken);

    /// <summary>Gives a user a role in a repository, or takes it.</summary>
    public Task SetRoleAsync(Repository repository, string user, TokenRole role, CancellationToken cancellationToken) => database.WriteAsync(
        c => role is TokenRole.None
            ? c.Run("DELETE FROM roles WHERE repository = $id AND user = $user", ("$id", repository.Key), ("$user", user))
            : c.Run("INSERT OR REPLACE INTO roles VALUES ($id, $user, $role)", ("$id", repository.Key), ("$user", user), ("$role", role.ToString())),
        cancellationToken);

    /// <summary>What a caller's user may do in a repository: its owner all, others by the role given to them. Public reading is not counted.</summary>
    public TokenRole RoleOf(Caller caller, Repository repository) => caller.User is null ? TokenRole.None
        : caller.User == repository.Id.Owner ? TokenRole.Write
        : database.Read(c => c.Scalar<string>("SELECT role FROM roles WHERE repository = $id AND user = $user", ("$id", repository.Key), ("$user", caller.User))) is { } role
            ? Enum.Parse<TokenRole>(role)
            : TokenRole.None;

    private static Repository Row(SqliteDataReader r) =>
        new(r.GetInt64(0), r.GetString(1), Parse(r.GetString(2), r.GetString(3), r.GetString(4)), r.GetBoolean(5), (Gating)r.GetInt32(6), r.GetString(7));

    private static RepoId Parse(string type, string owner, string name) => RepoId.Parse($"{owner}/{name}", type == "model" ? RepoType.Model : RepoType.Dataset);

    private static (string, object?)[] Names(RepoId id) => [("$type", id.TypeName), ("$owner", id.Owner), ("$name", id.Name)];

    private static string Word(RepoType type) => type is RepoType.Model ? "model" : "dataset";
}

/// <summary>A repository's row.</summary>
/// <param name="Key">The database's own number.</param>
/// <param name="PublicId">24 hexadecimal digits, shown as <c>_id</c>.</param>
/// <param name="Id">Type, owner and name.</param>
/// <param name="IsPrivate">Seen only by its owner and those with a role.</param>
/// <param name="Gating">Who gets to its files; it is listed for all.</param>
/// <param name="Created">When.</param>
internal sealed record Repository(long Key, string PublicId, RepoId Id, bool IsPrivate, Gating Gating, string Created)
{
    /// <summary>Whether its files are only for its owner and those with a role.</summary>
    public bool IsGated => Gating is not Gating.None;
}

/// <summary>Who gets to the files of a repository.</summary>
internal enum Gating
{
    /// <summary>All who see it.</summary>
    None,

    /// <summary>Those with a role; HF: <c>auto</c>, asking is enough. Here an operator gives the role.</summary>
    Auto,

    /// <summary>Those with a role; HF: <c>manual</c>, the owner decides.</summary>
    Manual,
}
