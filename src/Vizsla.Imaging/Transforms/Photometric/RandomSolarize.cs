using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Inverts the levels from a threshold on, with a given probability.</summary>
/// <param name="Threshold">First level that is inverted, 0 to 255.</param>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomSolarize</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomSolarize(
    [Parameter("threshold", Minimum = 0, Maximum = 255, Example = "128")] double Threshold,
    [Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Levels.Solarize(image, Threshold);
}
