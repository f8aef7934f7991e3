namespace Vizsla.Training.Metrics;

/// <summary>One kind of mistake.</summary>
/// <param name="Label">The true class.</param>
/// <param name="Predicted">What it was taken for.</param>
/// <param name="Count">How often.</param>
/// <param name="Support">Rows of the true class.</param>
public sealed record Confusion(string Label, string Predicted, long Count, long Support);
