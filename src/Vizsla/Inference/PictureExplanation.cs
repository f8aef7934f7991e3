namespace Vizsla.Inference;

/// <summary>A class that a network found in a picture, and where it looked.</summary>
/// <param name="Prediction">The class and its score.</param>
/// <param name="Heat">Where the network looked, over the picture as it saw it.</param>
/// <param name="Method">How the heat map was made.</param>
public sealed record PictureExplanation(Prediction Prediction, HeatMap Heat, ExplanationMethod Method);
