namespace Vizsla.Hub;

/// <summary>What became of a commit.</summary>
/// <param name="Commit">The commit, 40 hexadecimal digits; the unchanged head when nothing differed.</param>
/// <param name="Url">The commit's page.</param>
/// <param name="IsEmpty">True when every file was there already and no commit was made.</param>
/// <param name="PullRequestUrl">The page of the proposal; null without one.</param>
public sealed record CommitResult(string Commit, Uri Url, bool IsEmpty, Uri? PullRequestUrl);
