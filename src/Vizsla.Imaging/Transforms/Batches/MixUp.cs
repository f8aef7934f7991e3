using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Blends each picture of a batch with the one before it, and their labels by the same share.</summary>
/// <param name="Alpha">The share is drawn from Beta(alpha, alpha); above 0, 1 by default.</param>
/// <param name="ClassCount">Number of classes; null takes that of the targets.</param>
/// <remarks>Source: torchvision <c>v2.MixUp</c> (Zhang et al. 2018). Parity: exact.</remarks>
[Group(TransformGroup.Batch)]
public sealed record MixUp(
    [Parameter("alpha")] double Alpha = 1,
    [Parameter("num_classes", Minimum = 1)] int? ClassCount = null) : BatchTransform
{
    /// <inheritdoc />
    protected internal override void Mix(Span<float> pixels, (int Channels, int Height, int Width) shape, SoftTargets targets, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(rng);
        Rules.CheckClassCount(ClassCount, targets);
        double share = rng.NextBeta(Alpha, Alpha);
        RolledMix.Apply(pixels, shape.Channels * shape.Height * shape.Width, share);
        RolledMix.Apply(targets.Values, targets.ClassCount, share);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => Rules.CheckAlpha(Alpha, problems);
}
