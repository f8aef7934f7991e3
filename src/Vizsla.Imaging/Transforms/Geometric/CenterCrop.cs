using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Cuts out the middle; a picture that is smaller gets a black border first.</summary>
/// <param name="Size">Height and width in pixels; one number is a square.</param>
/// <remarks>Source: torchvision <c>v2.CenterCrop</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record CenterCrop([Parameter("size", Minimum = 1, Example = "224")] ImageSize Size) : ImageTransform
{
    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => (Size.Height, Size.Width);

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.Height == Size.Height && image.Width == Size.Width ? image : Cropping.Center(image, Size.Height, Size.Width);
    }
}
