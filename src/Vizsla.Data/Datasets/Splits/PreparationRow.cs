namespace Vizsla.Datasets.Splits;

/// <summary>One picture to prepare.</summary>
/// <param name="Path">Full path of the source.</param>
/// <param name="Label">Class name.</param>
/// <param name="Split">Split fixed by a split file, or null.</param>
/// <param name="CopyOf">Path of the picture that this one is a copy of and goes with, or null.</param>
internal sealed record PreparationRow(string Path, string Label, string? Split = null, string? CopyOf = null);
