using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Stretches each channel to the full range with a given probability.</summary>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomAutocontrast</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomAutocontrast([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Levels.AutoContrast(image);
}
