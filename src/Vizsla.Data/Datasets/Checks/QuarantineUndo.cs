namespace Vizsla.Datasets.Checks;

/// <summary>What came of <see cref="Quarantine.Undo"/>.</summary>
/// <param name="Restored">Files that are in their old place again.</param>
/// <param name="Blocked">Files that stay in quarantine, since another file has their place.</param>
/// <param name="Lost">Files that are neither in their place nor in quarantine.</param>
public sealed record QuarantineUndo(IReadOnlyList<QuarantinedFile> Restored, IReadOnlyList<QuarantinedFile> Blocked, IReadOnlyList<QuarantinedFile> Lost);
