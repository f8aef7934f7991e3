using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Mirrors the picture upside down with a given probability.</summary>
/// <param name="Probability">Between 0 and 1; 1 always flips.</param>
/// <remarks>Source: torchvision <c>v2.RandomVerticalFlip</c>. Parity: exact.</remarks>
public sealed record RandomVerticalFlip([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        return rng.NextSingle() < Probability ? Flip.Vertical(image) : image;
    }
}
