using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Some operations, each chosen at random, all of one strength.</summary>
/// <param name="OperationCount">Number of operations that run one after the other.</param>
/// <param name="Strength">Bin of the strength, 0 to <paramref name="BinCount"/> - 1.</param>
/// <param name="BinCount">Number of strengths, at least 2.</param>
/// <param name="Interpolation">Nearest, bilinear or bicubic, for operations that move pixels; nearest by default.</param>
/// <param name="Fill">Color of what comes from outside; null is black.</param>
/// <remarks>Source: torchvision <c>v2.RandAugment</c> (Cubuk et al. 2019). Parity: exact.</remarks>
[Group(TransformGroup.Augmentation)]
public sealed record RandAugment(
    [Parameter("num_ops", Minimum = 0)] int OperationCount = 2,
    [Parameter("magnitude", Minimum = 0)] int Strength = 9,
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
        var (width, height) = (image.Width, image.Height);
        var steps = new ImageSteps(image);
        for (var i = 0; i < OperationCount; i++)
        {
            var operation = AugmentSpaces.Standard14[rng.NextInt32(0, AugmentSpaces.Standard14.Length)];
            var magnitude = AugmentSpaces.Standard(operation, width, height);
            var strength = 0.0;
            if (magnitude.HasStrength)
            {
                strength = magnitude.Strength(Strength, BinCount, AugmentSpaces.StandardPosterize);
                strength = magnitude.IsSigned && rng.NextSingle() <= 0.5f ? -strength : strength;
            }

            steps.Replace(PictureOperations.Apply(steps.Current, operation, strength, Interpolation, Fill ?? default));
        }

        return steps.Current;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Rules.CheckSamplingFilter(Interpolation, problems);
        if (Strength >= BinCount)
        {
            problems.Add(Invariant($"magnitude is {Strength}, expected 0 to {BinCount - 1} with {BinCount} bins."));
        }
    }
}
