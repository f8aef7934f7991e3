using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Mirrors the picture left to right with a given probability.</summary>
/// <param name="Probability">Between 0 and 1; 1 always flips.</param>
/// <remarks>Source: torchvision <c>v2.RandomHorizontalFlip</c>. Parity: exact.</remarks>
public sealed record RandomHorizontalFlip([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        return rng.NextSingle() < Probability ? Flip.Horizontal(image) : image;
    }
}
