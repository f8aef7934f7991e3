using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Cuts out the middle as image processors do: half of an odd rest is rounded down, where <see cref="CenterCrop"/> rounds to even.</summary>
/// <param name="Size">Height and width in pixels; one number is a square. A picture that is smaller gets a black border.</param>
/// <remarks>Source: transformers <c>image_transforms.center_crop</c>. Parity: exact.</remarks>
[Group(TransformGroup.Processor)]
public sealed record ProcessorCenterCrop([Parameter("size", Minimum = 1, Example = "224")] ImageSize Size) : ImageTransform
{
    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => (Size.Height, Size.Width);

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.Height == Size.Height && image.Width == Size.Width
            ? image
            : Cropping.Crop(image, FloorHalf(image.Height - Size.Height), FloorHalf(image.Width - Size.Width), Size.Height, Size.Width);
    }

    private static int FloorHalf(int rest) => rest >> 1;
}
