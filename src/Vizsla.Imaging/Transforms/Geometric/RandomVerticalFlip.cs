using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Mirrors the picture upside down with a given probability.</summary>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomVerticalFlip</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomVerticalFlip([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Flip.Vertical(image);
}
