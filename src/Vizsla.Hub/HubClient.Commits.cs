namespace Vizsla.Hub;

public sealed partial class HubClient
{
    /// <summary>Changes a branch in one step: all of the operations, or none.</summary>
    /// <param name="repo">The repository; it must exist.</param>
    /// <param name="operations">Files to add, copy and remove, in order. Files that are there already, unchanged, are left out.</param>
    /// <param name="message">The commit's title.</param>
    /// <param name="options">Branch, parent, proposal, progress; null commits to <c>main</c>.</param>
    /// <param name="cancellationToken">Stops; large files sent so far stay in the storage and are not sent again.</param>
    /// <returns>The commit; the unchanged head when nothing differed.</returns>
    /// <exception cref="HubException">No access, the card's metadata is refused, the branch has moved on from the parent given
    /// (<see cref="HubErrorKind.ParentChanged"/>), or the connection broke.</exception>
    /// <exception cref="ArgumentException">The message is empty.</exception>
    /// <remarks>Source: <c>HfApi.create_commit</c>.</remarks>
    public Task<CommitResult> CommitAsync(RepoId repo, IReadOnlyList<CommitOperation> operations, string message, CommitOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        ArgumentNullException.ThrowIfNull(operations);
        return _commits.RunAsync(repo, operations, message, options ?? new CommitOptions(), cancellationToken);
    }

    /// <summary>Sends the large files among some ahead of a commit, so that each may be removed from this disk before the next is made.</summary>
    /// <param name="repo">The repository; it must exist.</param>
    /// <param name="files">The files.</param>
    /// <param name="options">The branch they are meant for, workers, progress; null takes <c>main</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>What to commit later: <see cref="CommitLargeFile"/> for those sent, the small ones as they were; ignored files are left out.</returns>
    /// <exception cref="HubException">No access, or the connection broke.</exception>
    /// <remarks>Source: <c>HfApi.preupload_lfs_files</c>.</remarks>
    public Task<IReadOnlyList<CommitOperation>> PreuploadAsync(RepoId repo, IReadOnlyList<CommitAdd> files, CommitOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        ArgumentNullException.ThrowIfNull(files);
        return _commits.PreuploadAsync(repo, files, options ?? new CommitOptions(), cancellationToken);
    }

    /// <summary>Sends a folder.</summary>
    /// <param name="repo">The repository; it must exist.</param>
    /// <param name="folder">The folder on this disk.</param>
    /// <param name="options">Which files, where to, message; null sends all to the root of <c>main</c>.</param>
    /// <param name="cancellationToken">Stops; a second call resumes where this one stopped.</param>
    /// <returns>The last commit.</returns>
    /// <exception cref="HubException">As <see cref="CommitAsync"/>.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <remarks>Source: <c>HfApi.upload_folder</c>, <c>upload_large_folder</c>.</remarks>
    public Task<CommitResult> UploadFolderAsync(RepoId repo, string folder, UploadFolderOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return new Transfers.FolderUpload(_commits, _listing).RunAsync(repo, folder, options ?? new UploadFolderOptions(), cancellationToken);
    }

    /// <summary>Sends files that are made for it, into a repository that is made where it is missing.</summary>
    /// <param name="repo">The repository; without an owner it belongs to the token's user.</param>
    /// <param name="write">Writes the files into the folder that it is given, before anything is sent.</param>
    /// <param name="message">The commit's title.</param>
    /// <param name="isPrivate">Whether a repository that is made is private; null takes the owner's default.</param>
    /// <param name="revision">Branch; null means <c>main</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The commit; the unchanged head when nothing differed.</returns>
    /// <exception cref="HubException">As <see cref="CommitAsync"/>.</exception>
    /// <exception cref="ArgumentException">A file's name cannot be one in a repository; no repository is made then.</exception>
    public async Task<CommitResult> PushFilesAsync(RepoId repo, Action<string> write, string message, bool? isPrivate = null, string? revision = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        ArgumentNullException.ThrowIfNull(write);
        var folder = Directory.CreateTempSubdirectory("vizsla-push-").FullName;
        try
        {
            write(folder);

            // A name that no repository takes is refused before one is made for it.
            Transfers.FolderUpload.CheckNames(folder);
            var target = await WithOwnerAsync(repo, cancellationToken).ConfigureAwait(false);
            await CreateRepoAsync(target, isPrivate, existOk: true, cancellationToken).ConfigureAwait(false);
            var options = new UploadFolderOptions { Message = message, Commit = new CommitOptions { Revision = revision ?? DefaultRevision } };
            return await UploadFolderAsync(target, folder, options, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
