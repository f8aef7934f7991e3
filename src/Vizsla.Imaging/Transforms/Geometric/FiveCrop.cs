using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Cuts out the four corners and the middle: five pictures of one.</summary>
/// <param name="Size">Height and width in pixels; one number is a square.</param>
/// <remarks>
/// In a <see cref="Compose"/> the steps after it run on each, and <see cref="Compose.RunMany"/> gives all five.
/// Source: torchvision <c>v2.FiveCrop</c>. Parity: exact; order: top left, top right, bottom left, bottom right, middle.
/// </remarks>
[Group(TransformGroup.Geometric)]
public sealed record FiveCrop([Parameter("size", Minimum = 1, Example = "224")] ImageSize Size) : MultiCropTransform
{
    /// <inheritdoc />
    public override int OutputCount => 5;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => (Size.Height, Size.Width);

    /// <inheritdoc />
    /// <exception cref="ArgumentException">The picture is smaller than the crops.</exception>
    public override IReadOnlyList<Image> Apply(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var (height, width) = (Size.Height, Size.Width);
        if (height > image.Height || width > image.Width)
        {
            throw new ArgumentException(
                $"FiveCrop cuts out {height}x{width} (height x width), and the picture has {image.Height}x{image.Width}; resize it first.", nameof(image));
        }

        var (bottom, right) = (image.Height - height, image.Width - width);
        return
        [
            Cropping.Crop(image, 0, 0, height, width),
            Cropping.Crop(image, 0, right, height, width),
            Cropping.Crop(image, bottom, 0, height, width),
            Cropping.Crop(image, bottom, right, height, width),
            Cropping.Center(image, height, width),
        ];
    }
}
