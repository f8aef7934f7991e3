using System.Diagnostics.CodeAnalysis;

namespace Vizsla.Studio.Runs;

/// <summary>Whether two looks at a run would be drawn alike.</summary>
internal sealed class SameLook : IEqualityComparer<RunSnapshot>
{
    public static SameLook Instance { get; } = new();

    public bool Equals(RunSnapshot? x, RunSnapshot? y) => x is not null && y is not null && Key(x) == Key(y);

    public int GetHashCode([DisallowNull] RunSnapshot obj) => Key(obj).GetHashCode();

    // Seconds of a running duration count: a reader sees that it lives.
    private static (string, RunState, int, int, DateTimeOffset, long) Key(RunSnapshot run) =>
        (run.Name, run.State, run.Step, run.Rows.Count, run.Updated, (long)(run.Duration?.TotalSeconds ?? 0));
}
