using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>One of 25 pairs of operations that were found by search on a data set.</summary>
/// <param name="Policy">The data set; ImageNet by default.</param>
/// <param name="Interpolation">Nearest, bilinear or bicubic, for operations that move pixels; nearest by default.</param>
/// <param name="Fill">Color of what comes from outside; null is black.</param>
/// <remarks>Source: torchvision <c>v2.AutoAugment</c> (Cubuk et al. 2018). Parity: exact.</remarks>
[Group(TransformGroup.Augmentation)]
public sealed record AutoAugment(
    [Parameter("policy")] AutoAugmentPolicy Policy = AutoAugmentPolicy.ImageNet,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Nearest,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor? Fill = null) : ImageTransform
{
    private const int BinCount = 10;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var policies = AutoAugmentPolicies.Of(Policy);
        var (first, second) = policies[rng.NextInt32(0, policies.Count)];
        var (width, height) = (image.Width, image.Height);
        var steps = new ImageSteps(image);
        foreach (var (operation, probability, bin) in (ReadOnlySpan<(AugmentOperation, double, int)>)[first, second])
        {
            if (!(rng.NextSingle() <= (float)probability))
            {
                continue;
            }

            var magnitude = AugmentSpaces.Standard(operation, width, height);
            var strength = 0.0;
            if (magnitude.HasStrength)
            {
                strength = magnitude.Strength(bin, BinCount, AugmentSpaces.StandardPosterize);
                strength = magnitude.IsSigned && rng.NextSingle() <= 0.5f ? -strength : strength;
            }

            steps.Replace(PictureOperations.Apply(steps.Current, operation, strength, Interpolation, Fill ?? default));
        }

        return steps.Current;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => Rules.CheckSamplingFilter(Interpolation, problems);
}

/// <summary>The data set that a policy was found on.</summary>
/// <remarks>Source: torchvision <c>AutoAugmentPolicy</c>.</remarks>
public enum AutoAugmentPolicy
{
    /// <summary>ImageNet.</summary>
    ImageNet,

    /// <summary>CIFAR-10.</summary>
    Cifar10,

    /// <summary>Street View House Numbers.</summary>
    Svhn,
}
