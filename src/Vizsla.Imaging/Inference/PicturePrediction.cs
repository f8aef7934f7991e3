namespace Vizsla.Inference;

/// <summary>What a model says of one picture file.</summary>
/// <param name="File">Path of the file as it was given.</param>
/// <param name="Predictions">The most likely classes, best first; empty when the picture cannot be read.</param>
/// <param name="Error">Why the picture cannot be read; null when it was.</param>
public sealed record PicturePrediction(string File, IReadOnlyList<Prediction> Predictions, string? Error = null);
