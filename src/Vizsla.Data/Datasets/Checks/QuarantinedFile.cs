namespace Vizsla.Datasets.Checks;

/// <summary>A file that was moved out of a dataset.</summary>
/// <param name="File">Path it had below the dataset's folder, separated by '/'.</param>
/// <param name="Quarantined">Path it has below the dataset's folder, separated by '/'.</param>
/// <param name="Reason">Why it was moved, as a part of a sentence.</param>
public sealed record QuarantinedFile(string File, string Quarantined, string Reason);
