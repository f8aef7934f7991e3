namespace Vizsla.Training.Metrics;

/// <summary>How well one class is told from the others.</summary>
/// <param name="Label">Name of the class.</param>
/// <param name="Precision">Share of the rows predicted as this class that are of it, 0 to 1; 0 where it was never predicted.</param>
/// <param name="Recall">Share of the rows of this class that were found, 0 to 1; 0 where it has none.</param>
/// <param name="F1">Harmonic mean of the two; 0 where both are 0.</param>
/// <param name="Support">Rows of this class.</param>
/// <param name="Predicted">Rows predicted as this class.</param>
/// <remarks>Source: scikit-learn <c>precision_recall_fscore_support(zero_division=0)</c>. Parity: 1e-9.</remarks>
public sealed record ClassScores(string Label, double Precision, double Recall, double F1, long Support, long Predicted);
