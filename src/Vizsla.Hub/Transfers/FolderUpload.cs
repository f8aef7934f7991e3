using System.IO.Enumeration;

namespace Vizsla.Hub.Transfers;

/// <summary>From a folder on disk to commits.</summary>
/// <remarks>Source: huggingface_hub <c>HfApi.upload_folder</c>, <c>_prepare_folder_deletions</c>.</remarks>
internal sealed class FolderUpload(CommitUpload commits, Listing listing)
{
    private static readonly string[] NeverSent = [".git", ".git/*", "*/.git", "*/.git/*", ".cache/huggingface", ".cache/huggingface/*", "*/.cache/huggingface", "*/.cache/huggingface/*"];

    /// <summary>Sends.</summary>
    public async Task<CommitResult> RunAsync(RepoId repo, string folder, UploadFolderOptions upload, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder '{folder}' to upload.");
        }

        var prefix = upload.PathInRepo.Trim('/') is { Length: > 0 } path ? path + "/" : "";
        var additions = Files(folder)
            .Where(f => GlobPattern.Selects(f, upload.AllowPatterns, [.. upload.IgnorePatterns, .. NeverSent]))
            .Select(f => new CommitAdd(prefix + f, Path.Combine(folder, f)))
            .ToList();
        var deletions = upload.DeletePatterns.Count == 0 ? [] : await DeletionsAsync(repo, prefix, additions, upload, cancellationToken).ConfigureAwait(false);
        var message = upload.Message ?? "Upload folder with Vizsla";
        var chunks = deletions.Concat<CommitOperation>(additions).Chunk(Math.Max(1, upload.MaxFilesPerCommit)).ToList();
        if (chunks.Count <= 1)
        {
            return await commits.RunAsync(repo, chunks.FirstOrDefault() ?? [], message, upload.Commit, cancellationToken).ConfigureAwait(false);
        }

        CommitResult? result = null;
        var options = upload.Commit;
        for (var i = 0; i < chunks.Count; i++)
        {
            var next = await commits.RunAsync(repo, chunks[i], $"{message} (part {i + 1} of {chunks.Count})", options, cancellationToken).ConfigureAwait(false);
            result = next with { IsEmpty = next.IsEmpty && result?.IsEmpty != false, PullRequestUrl = result?.PullRequestUrl ?? next.PullRequestUrl };
            options = Following(options, next);
        }

        return result!;
    }

    /// <summary>Checks that each file of a folder has a name that a repository takes.</summary>
    /// <exception cref="ArgumentException">One has not.</exception>
    public static void CheckNames(string folder)
    {
        foreach (var file in Files(folder).Where(f => GlobPattern.Selects(f, [], NeverSent)))
        {
            RepoPath.Normalize(file);
        }
    }

    // Later parts go on top of the first: on the proposal it has opened, and for the commit it has made.
    private static CommitOptions Following(CommitOptions options, CommitResult done) => options with
    {
        Revision = done.PullRequestUrl is { } proposal ? $"refs/pr/{proposal.Segments[^1].Trim('/')}" : options.Revision,
        CreatePullRequest = options.CreatePullRequest && done.PullRequestUrl is null,
        ParentCommit = options.ParentCommit is null ? null : done.Commit,
    };

    private async Task<List<CommitDelete>> DeletionsAsync(RepoId repo, string prefix, List<CommitAdd> additions, UploadFolderOptions upload, CancellationToken cancellationToken)
    {
        var sent = additions.Select(a => a.Path).ToHashSet();
        var deletions = new List<CommitDelete>();
        await foreach (var entry in listing.TreeAsync(repo, upload.Commit.Revision, "", recursive: true, cancellationToken).ConfigureAwait(false))
        {
            if (!entry.IsFolder && entry.Path.StartsWith(prefix, StringComparison.Ordinal) && !sent.Contains(entry.Path)
                && entry.Path[prefix.Length..] is not ".gitattributes" and var below && GlobPattern.Selects(below, upload.DeletePatterns, []))
            {
                deletions.Add(new CommitDelete(entry.Path));
            }
        }

        return deletions;
    }

    // In the order of paths compared part by part, as Python sorts them; links to folders are not entered.
    private static IEnumerable<string> Files(string folder)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        var files = new FileSystemEnumerable<string>(folder, static (ref FileSystemEntry entry) => entry.ToFullPath(), options)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory,
            ShouldRecursePredicate = static (ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
        };
        return files.Select(f => Path.GetRelativePath(folder, f).Replace(Path.DirectorySeparatorChar, '/'))
            .OrderBy(f => f.Replace('/', '\u0001'), StringComparer.Ordinal);
    }
}
