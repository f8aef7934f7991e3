using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Keeps only the high bits of each level with a given probability.</summary>
/// <param name="Bits">Bits to keep, 1 to 8.</param>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomPosterize</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomPosterize(
    [Parameter("bits", Minimum = 1, Maximum = 8, Example = "4")] int Bits,
    [Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Levels.Posterize(image, Bits);
}
