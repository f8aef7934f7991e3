using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Mirrors the picture left to right with a given probability.</summary>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomHorizontalFlip</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomHorizontalFlip([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Flip.Horizontal(image);
}
