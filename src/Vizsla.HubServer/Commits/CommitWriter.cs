using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.LargeFiles;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Commits;

/// <summary>Makes commits: checks the parent, applies the changes, moves the branch, all in one transaction.</summary>
internal sealed class CommitWriter(HubDatabase database, TreeStore trees, LargeFileStore largeFiles, DiscussionStore discussions, TimeProvider time)
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
            long? proposal = asProposal ? discussions.Open(c, repository, request.Summary, author.User!, isPullRequest: true, "open") : null;
            if (proposal is { } opened && request.Description.Length > 0)
            {
                discussions.Comment(c, repository, opened, author.User!, request.Description);
            }

            var name = proposal is { } number ? ReferenceStore.Proposals + number : branch;
            ReferenceStore.Set(c, repository, name, commit.Id);
            if (name.StartsWith(ReferenceStore.Proposals, StringComparison.Ordinal) && long.TryParse(name[ReferenceStore.Proposals.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var of)
                && DiscussionStore.Find(c, repository, of) is not null)
            {
                discussions.Commit(c, repository, of, author.User!, commit.Title, commit.Id);
            }

            return new Outcome(commit.Id, proposal);
        },
        cancellationToken);

    /// <summary>Takes the changes of a pull request over into <c>main</c>, as one commit.</summary>
    /// <exception cref="Refusal">There is no such pull request, it is not open (409), or both sides have changed a file (409).</exception>
    public Task<string> MergeAsync(Repository repository, long number, Caller author, string? comment, CancellationToken cancellationToken) => database.WriteAsync(
        c =>
        {
            var discussion = DiscussionStore.Find(c, repository, number) is { IsPullRequest: true } found ? found : throw new Refusal(404, $"There is no pull request {number}.");
            if (!discussion.IsOpen)
            {
                throw new Refusal(409, $"Pull request {number} is {discussion.Status}.");
            }

            var (main, changes, conflicts) = Compare(c, repository, number);
            if (conflicts.Count > 0)
            {
                throw new Refusal(409, $"Pull request {number} conflicts with main in {string.Join(", ", conflicts.Take(5))}.");
            }

            var merged = CommitStore.Add(c, repository, main.Id, trees.Apply(c, main.Tree, changes), $"{discussion.Title} (#{number})", "", author.User!, time.Stamp());
            ReferenceStore.Set(c, repository, ReferenceStore.Heads + Revisions.Default, merged.Id);
            DiscussionStore.Change(c, repository, discussion with { Status = "merged", Merged = merged.Id });
            if (comment is { Length: > 0 })
            {
                discussions.Comment(c, repository, number, author.User!, comment);
            }

            discussions.Add(c, repository, number, "status-change", author.User!, new JsonObject { ["status"] = "merged" });
            return merged.Id;
        },
        cancellationToken);

    /// <summary>Files that a pull request and <c>main</c> have both changed, to different contents.</summary>
    public IReadOnlyList<string> Conflicts(SqliteConnection connection, Repository repository, long number) => Compare(connection, repository, number).Conflicts;

    /// <summary>Replaces the history of a branch by one commit of the same files.</summary>
    /// <exception cref="Refusal">There is no such branch.</exception>
    public Task<string> SquashAsync(Repository repository, string branch, string message, Caller author, CancellationToken cancellationToken) => database.WriteAsync(
        c =>
        {
            var name = ReferenceStore.BranchOf(c, repository, branch) ?? throw Refusal.NoRevision(branch);
            var head = CommitStore.Find(c, repository, ReferenceStore.Target(c, repository, name)!)!;
            var squashed = CommitStore.Add(c, repository, null, head.Tree, message, "", author.User!, time.Stamp());
            ReferenceStore.Set(c, repository, name, squashed.Id);
            return squashed.Id;
        },
        cancellationToken);

    // Against the last commit that both sides have; after main was squashed there is none, and the empty tree stands for it.
    private (StoredCommit Main, Dictionary<string, TreeItem?> Changes, IReadOnlyList<string> Conflicts) Compare(SqliteConnection connection, Repository repository, long number)
    {
        var main = Revisions.Commit(connection, repository, Revisions.Default);
        var proposed = Revisions.Commit(connection, repository, $"{ReferenceStore.Proposals}{number}");
        var known = CommitStore.History(connection, repository, main.Id, 0, int.MaxValue).Select(m => m.Id).ToHashSet();
        var shared = CommitStore.History(connection, repository, proposed.Id, 0, int.MaxValue).FirstOrDefault(p => known.Contains(p.Id));
        Dictionary<string, TreeItem> Files(string tree) => trees.Walk(connection, tree).Where(f => !f.Item.IsFolder).ToDictionary(f => f.Path, f => f.Item);
        var (before, ours, theirs) = (Files(shared?.Tree ?? TreeStore.EmptyTree), Files(main.Tree), Files(proposed.Tree));
        var changed = theirs.Keys.Union(before.Keys).Where(p => theirs.GetValueOrDefault(p)?.Oid != before.GetValueOrDefault(p)?.Oid).ToList();
        var conflicts = changed.Where(p => ours.GetValueOrDefault(p)?.Oid != before.GetValueOrDefault(p)?.Oid && ours.GetValueOrDefault(p)?.Oid != theirs.GetValueOrDefault(p)?.Oid).Order(StringComparer.Ordinal).ToList();
        return (main, changed.ToDictionary(p => p, p => theirs.GetValueOrDefault(p)), conflicts);
    }

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
