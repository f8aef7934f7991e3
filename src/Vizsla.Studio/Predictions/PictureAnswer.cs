namespace Vizsla.Studio.Predictions;

/// <summary>What a model said of a picture.</summary>
/// <param name="Classes">The likeliest classes, best first.</param>
/// <param name="Elapsed">From the question to the answer, preparing the picture included.</param>
public sealed record PictureAnswer(IReadOnlyList<LabelScore> Classes, TimeSpan Elapsed);
