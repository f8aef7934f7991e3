using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Sharpens or smooths the picture with a given probability.</summary>
/// <param name="SharpnessFactor">0 smooths, 1 changes nothing, 2 sharpens.</param>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomAdjustSharpness</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomAdjustSharpness(
    [Parameter("sharpness_factor", Minimum = 0, Example = "2")] double SharpnessFactor,
    [Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Enhance.Sharpness(image, SharpnessFactor);
}
