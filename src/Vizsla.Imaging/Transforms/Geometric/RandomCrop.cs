using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Cuts a rectangle of one size out at a random place.</summary>
/// <param name="Size">Height and width in pixels; one number is a square.</param>
/// <param name="Padding">Border that is put around the picture first; null puts none.</param>
/// <param name="PadIfNeeded">Whether a picture that is still too small gets a border on both sides as wide as what it lacks.</param>
/// <param name="Fill">Color of a constant border; black by default.</param>
/// <param name="PaddingMode">What the border is made of; one color by default.</param>
/// <remarks>Source: torchvision <c>v2.RandomCrop</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomCrop(
    [Parameter("size", Minimum = 1, Example = "224")] ImageSize Size,
    [Parameter("padding")] Padding? Padding = null,
    [Parameter("pad_if_needed")] bool PadIfNeeded = false,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor Fill = default,
    [Parameter("padding_mode")] PaddingMode PaddingMode = PaddingMode.Constant) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => (Size.Height, Size.Width);

    /// <inheritdoc />
    /// <exception cref="ArgumentException">The picture is smaller than the crop.</exception>
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var (left, top, right, bottom) = Padding ?? default;
        var width = image.Width + left + right;
        var height = image.Height + top + bottom;
        if (PadIfNeeded)
        {
            var (missingY, missingX) = (Math.Max(Size.Height - height, 0), Math.Max(Size.Width - width, 0));
            (top, bottom, height) = (top + missingY, bottom + missingY, height + (2 * missingY));
            (left, right, width) = (left + missingX, right + missingX, width + (2 * missingX));
        }

        if (height < Size.Height || width < Size.Width)
        {
            throw new ArgumentException(
                $"RandomCrop cuts out {Size.Height}x{Size.Width} (height x width), and the {(Padding is null ? "" : "padded ")}picture has {height}x{width}; "
                + "resize it first or set PadIfNeeded.",
                nameof(image));
        }

        var cropTop = height > Size.Height ? rng.NextInt32(0, height - Size.Height + 1) : 0;
        var cropLeft = width > Size.Width ? rng.NextInt32(0, width - Size.Width + 1) : 0;
        var steps = new ImageSteps(image);
        if ((left, top, right, bottom) != default)
        {
            steps.Replace(Cropping.Pad(image, (left, top, right, bottom), Fill, PaddingMode));
        }

        if (height > Size.Height || width > Size.Width)
        {
            steps.Replace(Cropping.Crop(steps.Current, cropTop, cropLeft, Size.Height, Size.Width));
        }

        return steps.Current;
    }
}
