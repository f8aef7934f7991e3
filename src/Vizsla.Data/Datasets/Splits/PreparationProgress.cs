namespace Vizsla.Datasets.Splits;

/// <summary>How far a preparation is.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Done">Pictures done in this phase.</param>
/// <param name="Total">Pictures of this phase.</param>
public readonly record struct PreparationProgress(PreparationPhase Phase, int Done, int Total);

/// <summary>What a preparation does, in order.</summary>
public enum PreparationPhase
{
    /// <summary>Every picture is decoded once.</summary>
    Check,

    /// <summary>Pictures are copied or linked.</summary>
    Copy,
}
