using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.LargeFiles;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Commits;

/// <summary>Makes commits: checks the parent, applies the changes, moves the branch, all in one transaction.</summary>
internal sealed class CommitWriter(HubDatabase database, TreeStore trees, LargeFileStore largeFiles, TimeProvider time)
{
    /// <summary>The result of a commit.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Proposal">Number of the proposal it opened; null when it changed a branch.</param>
    public sealed record Outcome(string Id, long? Proposal);

    /// <summary>Commits.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="revision">A branch.</param>
    /// <param name="request">What to change.</param>
    /// <param name="author">Who.</param>
    /// <param name="asProposal">True leaves the branch and opens a proposal.</param>
    /// <param name="cancellationToken">Stops before anything is changed.</param>
    /// <exception cref="Refusal">The branch is not there, has moved on, or a change cannot be made; nothing is changed then.</exception>
    public Task<Outcome> WriteAsync(Repository repository, string revision, CommitRequest request, Caller author, bool asProposal, CancellationToken cancellationToken) => database.WriteAsync(
        c =>
        {
            var branch = ReferenceStore.BranchOf(c, repository, revision);
            if (branch is null)
            {
                Revisions.Commit(c, repository, revision);
                throw new Refusal(400, "Invalid rev: not a branch");
            }

            var head = CommitStore.Find(c, repository, ReferenceStore.Target(c, repository, branch)!)!;
            if (request.ParentCommit is { } parent && (parent.Length < 7 || !head.Id.StartsWith(parent, StringComparison.Ordinal)))
            {
                throw new Refusal(412, "A commit has happened since. Please refresh and try again.");
            }

            var tree = trees.Apply(c, head.Tree, Changes(c, repository, head.Tree, request.Changes, author));
            var commit = CommitStore.Add(c, repository, head.Id, tree, request.Summary, request.Description, author.User!, time.Stamp());
            long? proposal = asProposal ? ReferenceStore.List(c, repository, ReferenceStore.Proposals).Count + 1 : null;
            ReferenceStore.Set(c, repository, proposal is { } number ? ReferenceStore.Proposals + number : branch, commit.Id);
            return new Outcome(commit.Id, proposal);
        },
        cancellationToken);

    // Later changes see what earlier ones did: a file added and then its folder removed is gone.
    private Dictionary<string, TreeItem?> Changes(SqliteConnection connection, Repository repository, string root, IReadOnlyList<CommitChange> requested, Caller author)
    {
        var changes = new Dictionary<string, TreeItem?>();
        IReadOnlyList<string>? patterns = null;
        foreach (var change in requested)
        {
            switch (change.Kind)
            {
                case ChangeKind.File:
                    changes[change.Path] = change.Item;
                    patterns = change.Path == Attributes.FileName ? null : patterns;
                    break;
                case ChangeKind.LargeFile:
                    changes[change.Path] = Large(connection, repository, change.Item!.LargeOid!, author);
                    patterns ??= Attributes.Patterns(AttributesOf(connection, root, changes));
                    if (!Attributes.Match(patterns, change.Path))
                    {
                        var content = Attributes.With(AttributesOf(connection, root, changes), change.Path);
                        changes[Attributes.FileName] = TreeItem.File("", BlobStore.Add(connection, content), content.Length);
                        patterns = null;
                    }

                    break;
                case ChangeKind.DeletedFile:
                    var present = changes.TryGetValue(change.Path, out var changed) ? changed : trees.Find(connection, root, change.Path);
                    changes[change.Path] = present is { IsFolder: false } ? null : throw Absent();
                    break;
                case ChangeKind.DeletedFolder:
                    DeleteFolder(connection, root, change.Path, changes);
                    break;
            }
        }

        return changes;
    }

    private void DeleteFolder(SqliteConnection connection, string root, string path, Dictionary<string, TreeItem?> changes)
    {
        var added = changes.Where(c => c.Value is not null && c.Key.StartsWith(path + "/", StringComparison.Ordinal)).Select(c => c.Key).ToList();
        var folder = trees.Find(connection, root, path);
        if (folder is not { IsFolder: true } && added.Count == 0)
        {
            throw Absent();
        }

        foreach (var file in added.Concat(folder is { IsFolder: true } ? trees.Walk(connection, folder.Oid, path + "/").Where(f => !f.Item.IsFolder).Select(f => f.Path) : []))
        {
            changes[file] = null;
        }
    }

    private TreeItem Large(SqliteConnection connection, Repository repository, string oid, Caller author)
    {
        var size = connection.Scalar<long?>("SELECT size FROM large_files WHERE oid = $oid", ("$oid", oid));
        if (size is null || !largeFiles.IsVisible(oid, repository, author))
        {
            throw new Refusal(400, $"Your push was rejected because the LFS pointer pointed to a file that does not exist: {oid}");
        }

        connection.Run("INSERT OR IGNORE INTO large_links VALUES ($oid, $id)", ("$oid", oid), ("$id", repository.Key));
        return TreeItem.Large("", oid, size.Value);
    }

    private byte[] AttributesOf(SqliteConnection connection, string root, Dictionary<string, TreeItem?> changes)
    {
        var item = changes.TryGetValue(Attributes.FileName, out var changed) ? changed : trees.Find(connection, root, Attributes.FileName);
        return item is { IsFolder: false, LargeOid: null } ? BlobStore.Read(connection, item.Oid) : [];
    }

    private static Refusal Absent() => new(404, "A file with this name doesn't exist", "EntryNotFound");
}
