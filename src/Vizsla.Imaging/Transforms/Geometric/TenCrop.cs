using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>Cuts out the four corners and the middle, then the same of the mirrored picture: ten pictures of one.</summary>
/// <param name="Size">Height and width in pixels; one number is a square.</param>
/// <param name="VerticalFlip">Whether the second five are of the picture upside down; otherwise it is mirrored left to right.</param>
/// <remarks>As <see cref="FiveCrop"/>. Source: torchvision <c>v2.TenCrop</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record TenCrop(
    [Parameter("size", Minimum = 1, Example = "224")] ImageSize Size,
    [Parameter("vertical_flip")] bool VerticalFlip = false) : MultiCropTransform
{
    /// <inheritdoc />
    public override int OutputCount => 10;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => (Size.Height, Size.Width);

    /// <inheritdoc />
    /// <exception cref="ArgumentException">The picture is smaller than the crops.</exception>
    public override IReadOnlyList<Image> Apply(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var five = new FiveCrop(Size);
        using var mirrored = VerticalFlip ? Flip.Vertical(image) : Flip.Horizontal(image);
        return [.. five.Apply(image), .. five.Apply(mirrored)];
    }
}
