namespace Vizsla.Datasets.Checks;

/// <summary>A picture that a finding is about.</summary>
/// <param name="Split">Its split.</param>
/// <param name="Row">Its row there.</param>
/// <param name="Name">Path of its file, or the name its bytes had.</param>
/// <param name="Label">Its class; empty where it has none.</param>
public sealed record FoundPicture(string Split, int Row, string Name, string Label);
