namespace Vizsla.Datasets.Checks;

/// <summary>What a <see cref="DatasetCheck"/> found.</summary>
/// <param name="Counts">Rows of each split.</param>
/// <param name="Findings">What was found, by kind; pictures in the order of splits and rows.</param>
public sealed record DatasetCheckReport(IReadOnlyList<KeyValuePair<string, int>> Counts, IReadOnlyList<DatasetFinding> Findings)
{
    /// <summary>Number of findings that make a training fail or its numbers wrong.</summary>
    public int ErrorCount => Findings.Count(f => f.IsError);

    /// <summary>Number of findings that are worth a look.</summary>
    public int WarningCount => Findings.Count - ErrorCount;

    /// <summary>The findings of a kind.</summary>
    /// <param name="kind">The kind.</param>
    public IEnumerable<DatasetFinding> Of(FindingKind kind) => Findings.Where(f => f.Kind == kind);
}
