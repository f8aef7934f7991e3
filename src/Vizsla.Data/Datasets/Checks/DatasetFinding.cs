namespace Vizsla.Datasets.Checks;

/// <summary>One thing that is, or may be, wrong with a dataset.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="IsError">Whether it makes a training fail or its numbers wrong; else it is worth a look.</param>
/// <param name="Message">What was found, as a part of a sentence that follows the name of the first picture or stands alone.</param>
/// <param name="Pictures">The pictures; of copies all, in the order of the splits.</param>
public sealed record DatasetFinding(FindingKind Kind, bool IsError, string Message, IReadOnlyList<FoundPicture> Pictures)
{
    /// <summary>Whether copies of one picture lie in several splits, so that a model is asked what it was taught.</summary>
    public bool IsAcrossSplits => Pictures.Select(p => p.Split).Distinct().Skip(1).Any();

    /// <summary>Whether copies of one picture have several labels, so that one of them is wrong.</summary>
    public bool HasDifferentLabels => Pictures.Select(p => p.Label).Distinct().Skip(1).Any();
}
