using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Puts a border around the picture.</summary>
/// <param name="Padding">Width of the border in pixels: one number, (left and right, top and bottom), or (left, top, right, bottom); negative cuts off.</param>
/// <param name="Fill">Color of a constant border; black by default.</param>
/// <param name="PaddingMode">What the border is made of; one color by default.</param>
/// <remarks>Source: torchvision <c>v2.Pad</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record Pad(
    [Parameter("padding", Example = "4")] Padding Padding,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor Fill = default,
    [Parameter("padding_mode")] PaddingMode PaddingMode = PaddingMode.Constant) : ImageTransform
{
    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) =>
        input is { } size ? (size.Height + Padding.Top + Padding.Bottom, size.Width + Padding.Left + Padding.Right) : null;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Cropping.Pad(image, Padding, Fill, PaddingMode);
    }
}
