using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Equalizes the histogram of each channel with a given probability.</summary>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomEqualize</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomEqualize([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Levels.Equalize(image);
}
