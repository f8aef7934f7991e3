namespace Vizsla.Hub;

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
