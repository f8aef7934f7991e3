namespace Vizsla.Hub;

/// <summary>How to commit.</summary>
public sealed record CommitOptions
{
    /// <summary>The branch. Default <c>main</c>.</summary>
    public string Revision { get; init; } = "main";

    /// <summary>Text below the message; default empty. HF: <c>commit_description</c>.</summary>
    public string Description { get; init; } = "";

    /// <summary>The commit that the change is made for: when the branch has moved on, nothing is committed
    /// (<see cref="HubErrorKind.ParentChanged"/>). Null commits on top of whatever is there. HF: <c>parent_commit</c>.</summary>
    public string? ParentCommit { get; init; }

    /// <summary>True: propose instead of commit. Default false; HF: <c>create_pr</c>.</summary>
    public bool CreatePullRequest { get; init; }

    /// <summary>Large files sent at the same time, 1 or more. Default 5; HF: <c>num_threads</c>.</summary>
    public int MaxWorkers { get; init; } = 5;

    /// <summary>Receives progress as bytes are sent, from several threads; null reports nothing.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}

/// <summary>Which files of a folder to send, and how.</summary>
/// <remarks>Source: huggingface_hub <c>upload_folder</c>; <c>.git</c> and <c>.cache/huggingface</c> are never sent.</remarks>
public sealed record UploadFolderOptions
{
    /// <summary>Folder in the repository to put the files into; empty for its root. HF: <c>path_in_repo</c>.</summary>
    public string PathInRepo { get; init; } = "";

    /// <summary>The commit's title; null writes one. HF: <c>commit_message</c>.</summary>
    public string? Message { get; init; }

    /// <summary>Patterns of what to send, relative to the folder; empty sends all. HF: <c>allow_patterns</c>.</summary>
    public IReadOnlyList<string> AllowPatterns { get; init; } = [];

    /// <summary>Patterns of what to leave out. HF: <c>ignore_patterns</c>.</summary>
    public IReadOnlyList<string> IgnorePatterns { get; init; } = [];

    /// <summary>Patterns, relative to <see cref="PathInRepo"/>, of files to remove from the repository in the same commit, those just sent excepted. HF: <c>delete_patterns</c>.</summary>
    public IReadOnlyList<string> DeletePatterns { get; init; } = [];

    /// <summary>Files in one commit at most; a larger folder is sent in several. Default 1000.</summary>
    public int MaxFilesPerCommit { get; init; } = 1000;

    /// <summary>Branch, parent and the rest.</summary>
    public CommitOptions Commit { get; init; } = new();
}

/// <summary>The result of a commit.</summary>
/// <param name="Commit">The commit, 40 hexadecimal digits; the unchanged head when nothing differed.</param>
/// <param name="Url">The commit's page.</param>
/// <param name="IsEmpty">True when every file was there already and no commit was made.</param>
/// <param name="PullRequestUrl">The page of the proposal; null without one.</param>
public sealed record CommitResult(string Commit, Uri Url, bool IsEmpty, Uri? PullRequestUrl);
