using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Repositories;

namespace Vizsla.HubServer.Api;

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
