using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Turns the picture gray with a given probability; it keeps three channels.</summary>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomGrayscale</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomGrayscale([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.1) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng) => Enhance.Grayscale(image);
}
