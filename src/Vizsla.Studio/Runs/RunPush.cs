namespace Vizsla.Studio.Runs;

/// <summary>What became of one push to a Hub while the run trained.</summary>
/// <param name="Step">The step that was pushed.</param>
/// <param name="Time">When it ended; null when nothing says.</param>
/// <param name="Title">The commit's title.</param>
/// <param name="Outcome"><c>pushed</c>, <c>failed</c> or <c>left out</c>.</param>
/// <param name="Repository">The repository; null when nothing says.</param>
/// <param name="Commit">The commit; null where none was made.</param>
/// <param name="Problem">Why it failed.</param>
public sealed record RunPush(int Step, DateTimeOffset? Time, string Title, string Outcome, string? Repository, string? Commit, string? Problem)
{
    /// <summary>The outcome of a push that reached the Hub.</summary>
    public const string Pushed = "pushed";

    /// <summary>The outcome of a push that did not.</summary>
    public const string Failed = "failed";

    /// <summary>The outcome of a save during the push before.</summary>
    public const string LeftOut = "left out";

    /// <summary>Why nothing came of it, in a sentence; null where it reached the Hub.</summary>
    public string? Reason => Outcome == LeftOut ? "The push before was still under way." : Problem;
}
