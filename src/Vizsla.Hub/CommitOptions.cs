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

    /// <summary>Told as bytes leave, from several threads; null tells nobody.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}
