namespace Vizsla.Transforms;

/// <summary>How strong an operation is in each bin of a policy.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Largest">Strength in the last bin; the first is 0. NaN where the operation has no strength.</param>
/// <param name="IsSigned">Whether a coin decides about the sign.</param>
/// <remarks>Source: the <c>_AUGMENTATION_SPACE</c> of torchvision's policies; strengths are float32.</remarks>
internal readonly record struct Magnitude(AugmentOperation Operation, double Largest = double.NaN, bool IsSigned = false)
{
    /// <summary>Whether the operation comes in strengths.</summary>
    public bool HasStrength => !double.IsNaN(Largest);

    /// <summary>The strength of a bin.</summary>
    /// <param name="bin">0 to <paramref name="binCount"/> - 1.</param>
    /// <param name="binCount">Number of bins.</param>
    /// <param name="posterize">Bits kept in the first bin, and how many fewer in the last.</param>
    public double Strength(int bin, int binCount, (int First, int Fewer) posterize) => Operation switch
    {
        AugmentOperation.Posterize => Math.Round(posterize.First - ((float)bin / (float)((binCount - 1) / (double)posterize.Fewer))),
        AugmentOperation.Solarize => Linspace.At(1, 0, bin, binCount),
        _ => Linspace.At(0, (float)Largest, bin, binCount),
    };
}
