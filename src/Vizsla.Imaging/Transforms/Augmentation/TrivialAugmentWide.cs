using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>One operation of random strength.</summary>
/// <param name="BinCount">Number of strengths, at least 2.</param>
/// <param name="Interpolation">Nearest, bilinear or bicubic, for operations that move pixels; nearest by default.</param>
/// <param name="Fill">Color of what comes from outside; null is black.</param>
/// <remarks>Source: torchvision <c>v2.TrivialAugmentWide</c> (Müller and Hutter 2021). Parity: exact.</remarks>
[Group(TransformGroup.Augmentation)]
public sealed record TrivialAugmentWide(
    [Parameter("num_magnitude_bins", Minimum = 2)] int BinCount = 31,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Nearest,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor? Fill = null) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var operation = AugmentSpaces.Standard14[rng.NextInt32(0, AugmentSpaces.Standard14.Length)];
        var magnitude = AugmentSpaces.Wide(operation);
        var strength = 0.0;
        if (magnitude.HasStrength)
        {
            strength = magnitude.Strength(rng.NextInt32(0, BinCount), BinCount, AugmentSpaces.WidePosterize);
            strength = magnitude.IsSigned && rng.NextSingle() <= 0.5f ? -strength : strength;
        }

        return PictureOperations.Apply(image, operation, strength, Interpolation, Fill ?? default);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => Rules.CheckSamplingFilter(Interpolation, problems);
}
