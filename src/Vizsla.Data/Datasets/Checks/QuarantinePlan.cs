namespace Vizsla.Datasets.Checks;

/// <summary>Which pictures of a report leave the dataset.</summary>
internal static class QuarantinePlan
{
    // The test split's numbers stay comparable when the copies leave the others.
    private static readonly string[] s_keptFirst = ["test", "validation", "train"];

    /// <summary>The kinds whose pictures are moved where nothing else is asked: nobody misses them.</summary>
    public static IReadOnlyList<FindingKind> DefaultKinds { get; } = [FindingKind.Unreadable, FindingKind.Truncated, FindingKind.Exact];

    /// <summary>The kinds that name pictures, which can be moved.</summary>
    public static IReadOnlyList<FindingKind> PossibleKinds { get; } = [.. DefaultKinds, FindingKind.Near, FindingKind.Tiny, FindingKind.Extreme, FindingKind.Blurry, FindingKind.Dark, FindingKind.Light, FindingKind.LowInformation, FindingKind.Gray, FindingKind.OddShape, FindingKind.OddSize];

    /// <summary>Chooses the pictures; of copies one stays: that of <c>test</c> before that of <c>validation</c> before that of <c>train</c>, and the first of these.</summary>
    /// <param name="report">What was found.</param>
    /// <param name="kinds">Kinds of findings whose pictures are moved.</param>
    /// <returns>The pictures with the reason, each once; copies with different labels are left, since only a person can say which is right.</returns>
    public static IReadOnlyList<(FoundPicture Picture, string Reason)> Choose(DatasetCheckReport report, IReadOnlyList<FindingKind> kinds)
    {
        ArgumentNullException.ThrowIfNull(report);
        var chosen = new List<(FoundPicture Picture, string Reason)>();
        var seen = new HashSet<FoundPicture>();
        foreach (var finding in report.Findings.Where(f => kinds.Contains(f.Kind)))
        {
            var isCopies = finding.Kind is FindingKind.Exact or FindingKind.Near;
            if (isCopies && finding.HasDifferentLabels)
            {
                continue;
            }

            foreach (var picture in isCopies ? Copies(finding.Pictures, seen) : finding.Pictures)
            {
                if (seen.Add(picture))
                {
                    chosen.Add((picture, finding.Message));
                }
            }
        }

        return chosen;
    }

    // One that leaves for another reason cannot be the one that stays.
    private static IEnumerable<FoundPicture> Copies(IReadOnlyList<FoundPicture> pictures, HashSet<FoundPicture> leaving)
    {
        var left = pictures.Where(p => !leaving.Contains(p)).ToList();
        var kept = left.MinBy(p => Array.IndexOf(s_keptFirst, p.Split) is >= 0 and var place ? place : s_keptFirst.Length);
        return left.Where(p => p != kept);
    }
}
