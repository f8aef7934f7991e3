namespace Vizsla.Datasets.Checks;

/// <summary>A picture that cannot be read whole.</summary>
/// <param name="Path">Path of the file, or the name the bytes had.</param>
/// <param name="Reason">Why, as the end of a sentence without its full stop.</param>
public sealed record BadImage(string Path, string Reason);
