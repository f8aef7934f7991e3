using System.Text;
using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Commits;

/// <summary>Commits of repositories.</summary>
internal static class CommitStore
{
    private const string Columns = "id, parent, tree, title, message, author, date";

    /// <summary>A commit by its whole id; null when there is none.</summary>
    public static StoredCommit? Find(SqliteConnection connection, Repository repository, string id) => connection.Rows(
        $"SELECT {Columns} FROM commits WHERE repository = $repository AND id = $id", Row, ("$repository", repository.Key), ("$id", id)).FirstOrDefault();

    /// <summary>A commit and those before it, newest first.</summary>
    public static List<StoredCommit> History(SqliteConnection connection, Repository repository, string id, int skip, int take) => connection.Rows(
        $"""
        WITH RECURSIVE line(id, depth) AS (
            VALUES ($id, 0)
            UNION ALL SELECT c.parent, line.depth + 1 FROM line JOIN commits c ON c.repository = $repository AND c.id = line.id WHERE c.parent IS NOT NULL)
        SELECT {string.Join(", ", Columns.Split(", ").Select(c => "c." + c))} FROM line JOIN commits c ON c.repository = $repository AND c.id = line.id ORDER BY depth LIMIT $take OFFSET $skip
        """,
        Row, ("$repository", repository.Key), ("$id", id), ("$take", take), ("$skip", skip));

    /// <summary>Number of commits from the first to this one.</summary>
    public static long Count(SqliteConnection connection, Repository repository, string id) => connection.Scalar<long>(
        """
        WITH RECURSIVE line(id) AS (
            VALUES ($id)
            UNION ALL SELECT c.parent FROM line JOIN commits c ON c.repository = $repository AND c.id = line.id WHERE c.parent IS NOT NULL)
        SELECT count(*) FROM line
        """,
        ("$repository", repository.Key), ("$id", id));

    /// <summary>Stores a commit.</summary>
    /// <returns>The commit with its id.</returns>
    public static StoredCommit Add(SqliteConnection connection, Repository repository, string? parent, string tree, string title, string message, string author, string date)
    {
        var seconds = HubClock.Seconds(date);
        var text = $"tree {tree}\n{(parent is null ? "" : $"parent {parent}\n")}author {author} <{author}@hub> {seconds} +0000\ncommitter {author} <{author}@hub> {seconds} +0000\n\n{title}\n{(message.Length > 0 ? $"\n{message}\n" : "")}";
        var commit = new StoredCommit(GitIds.Object("commit", Encoding.UTF8.GetBytes(text)), parent, tree, title, message, author, date);
        connection.Run(
            "INSERT OR IGNORE INTO commits VALUES ($repository, $id, $parent, $tree, $title, $message, $author, $date)",
            ("$repository", repository.Key), ("$id", commit.Id), ("$parent", parent), ("$tree", tree), ("$title", title), ("$message", message), ("$author", author), ("$date", date));
        return commit;
    }

    private static StoredCommit Row(SqliteDataReader r) =>
        new(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6));
}

/// <summary>From revisions to commits, or to the refusal that clients know.</summary>
internal static class Revisions
{
    /// <summary>The branch of a repository that is asked for without one.</summary>
    public const string Default = "main";

    /// <summary>The commit of a revision.</summary>
    /// <exception cref="Refusal">There is none.</exception>
    public static StoredCommit Commit(SqliteConnection connection, Repository repository, string revision)
    {
        var name = revision.Length == 0 ? Default : revision;
        return ReferenceStore.Resolve(connection, repository, name) is { } id && CommitStore.Find(connection, repository, id) is { } commit
            ? commit
            : throw Refusal.NoRevision(name);
    }
}

/// <summary>A commit's row.</summary>
/// <param name="Id">Git's id.</param>
/// <param name="Parent">The commit before; null for the first.</param>
/// <param name="Tree">Git's id of the root folder.</param>
/// <param name="Title">First line.</param>
/// <param name="Message">The rest.</param>
/// <param name="Author">A user's name.</param>
/// <param name="Date">When.</param>
internal sealed record StoredCommit(string Id, string? Parent, string Tree, string Title, string Message, string Author, string Date);
