namespace Vizsla.Transforms;

/// <summary>The operations and strengths that each policy draws from, in the order in which it numbers them.</summary>
/// <remarks>Source: the <c>_AUGMENTATION_SPACE</c> of torchvision's policies.</remarks>
internal static class AugmentSpaces
{
    /// <summary>Posterize of AutoAugment and RandAugment: 8 bits down to 4.</summary>
    public static readonly (int First, int Fewer) StandardPosterize = (8, 4);

    /// <summary>Posterize of TrivialAugmentWide: 8 bits down to 2.</summary>
    public static readonly (int First, int Fewer) WidePosterize = (8, 6);

    /// <summary>Posterize of AugMix: 4 bits down to 0.</summary>
    public static readonly (int First, int Fewer) MixPosterize = (4, 4);

    private const double StandardTranslation = 150.0 / 331.0;

    /// <summary>The operations of RandAugment and TrivialAugmentWide.</summary>
    public static readonly AugmentOperation[] Standard14 =
    [
        AugmentOperation.Identity, AugmentOperation.ShearX, AugmentOperation.ShearY, AugmentOperation.TranslateX, AugmentOperation.TranslateY,
        AugmentOperation.Rotate, AugmentOperation.Brightness, AugmentOperation.Color, AugmentOperation.Contrast, AugmentOperation.Sharpness,
        AugmentOperation.Posterize, AugmentOperation.Solarize, AugmentOperation.AutoContrast, AugmentOperation.Equalize,
    ];

    /// <summary>The operations of AugMix; the last four only with all operations.</summary>
    public static readonly AugmentOperation[] Mix13 =
    [
        AugmentOperation.ShearX, AugmentOperation.ShearY, AugmentOperation.TranslateX, AugmentOperation.TranslateY, AugmentOperation.Rotate,
        AugmentOperation.Posterize, AugmentOperation.Solarize, AugmentOperation.AutoContrast, AugmentOperation.Equalize,
        AugmentOperation.Brightness, AugmentOperation.Color, AugmentOperation.Contrast, AugmentOperation.Sharpness,
    ];

    /// <summary>How many of <see cref="Mix13"/> AugMix uses without all operations.</summary>
    public const int MixPartialCount = 9;

    /// <summary>Strengths in AutoAugment and RandAugment.</summary>
    public static Magnitude Standard(AugmentOperation operation, int width, int height) => operation switch
    {
        AugmentOperation.ShearX or AugmentOperation.ShearY => new(operation, 0.3, IsSigned: true),
        AugmentOperation.TranslateX => new(operation, StandardTranslation * width, IsSigned: true),
        AugmentOperation.TranslateY => new(operation, StandardTranslation * height, IsSigned: true),
        AugmentOperation.Rotate => new(operation, 30, IsSigned: true),
        AugmentOperation.Brightness or AugmentOperation.Color or AugmentOperation.Contrast or AugmentOperation.Sharpness => new(operation, 0.9, IsSigned: true),
        AugmentOperation.Posterize or AugmentOperation.Solarize => new(operation, 1),
        _ => new(operation),
    };

    /// <summary>Strengths in TrivialAugmentWide.</summary>
    public static Magnitude Wide(AugmentOperation operation) => operation switch
    {
        AugmentOperation.ShearX or AugmentOperation.ShearY => new(operation, 0.99, IsSigned: true),
        AugmentOperation.TranslateX or AugmentOperation.TranslateY => new(operation, 32, IsSigned: true),
        AugmentOperation.Rotate => new(operation, 135, IsSigned: true),
        AugmentOperation.Brightness or AugmentOperation.Color or AugmentOperation.Contrast or AugmentOperation.Sharpness => new(operation, 0.99, IsSigned: true),
        AugmentOperation.Posterize or AugmentOperation.Solarize => new(operation, 1),
        _ => new(operation),
    };

    /// <summary>Strengths in AugMix.</summary>
    public static Magnitude Mix(AugmentOperation operation, int width, int height) => operation switch
    {
        AugmentOperation.TranslateX => new(operation, width / 3.0, IsSigned: true),
        AugmentOperation.TranslateY => new(operation, height / 3.0, IsSigned: true),
        _ => Standard(operation, width, height),
    };
}

/// <summary>An operation that the automatic policies choose from.</summary>
internal enum AugmentOperation
{
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
    Invert,
}

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
