using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>A change that happens with a given probability: one draw decides, and only a change that happens draws more.</summary>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>_RandomApplyTransform</c>.</remarks>
public abstract record ChanceTransform(double Probability) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public sealed override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        return rng.NextSingle() < (float)Probability ? Change(image, rng) : image;
    }

    /// <summary>Changes the picture.</summary>
    /// <param name="image">The picture; neither changed nor disposed.</param>
    /// <param name="rng">The only source of randomness.</param>
    /// <returns>A picture that the caller owns when it is not <paramref name="image"/>.</returns>
    protected abstract Image Change(Image image, Rng rng);
}
