namespace Vizsla.Studio.Runs.Evaluation;

/// <summary>How one class fared.</summary>
/// <param name="Name">The class.</param>
/// <param name="Count">Pictures of it.</param>
/// <param name="Precision">Share of those named so that are; 0 when none was named so.</param>
/// <param name="Recall">Share of those that are and were named so; 0 when there are none.</param>
public sealed record ClassScore(string Name, int Count, double Precision, double Recall)
{
    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;
}
