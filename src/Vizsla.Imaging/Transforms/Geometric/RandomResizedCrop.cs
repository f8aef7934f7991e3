using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Cuts out a rectangle of random area and shape, and resizes it.</summary>
/// <param name="Size">Height and width of the result in pixels; one number is a square.</param>
/// <param name="Interpolation">Filter; bilinear by default.</param>
/// <param name="Antialias">Without effect: pictures are always anti-aliased, as Pillow does.</param>
/// <remarks>Source: torchvision <c>v2.RandomResizedCrop</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomResizedCrop(
    [Parameter("size", Minimum = 1, Example = "224")] ImageSize Size,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("antialias")] bool Antialias = true) : ImageTransform
{
    /// <summary>Range of the rectangle's share of the picture's area.</summary>
    [Parameter("scale", Minimum = 0)]
    public (double Low, double High) Scale { get; init; } = (0.08, 1.0);

    /// <summary>Range of the rectangle's width divided by its height.</summary>
    [Parameter("ratio", Minimum = 0)]
    public (double Low, double High) Ratio { get; init; } = (3.0 / 4.0, 4.0 / 3.0);

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => (Size.Height, Size.Width);

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var (top, left, height, width) = RandomBox.Draw(image.Height, image.Width, Scale, Ratio, rng) is var box && box.Height > 0
            ? box
            : Whole(image);
        using var cut = Cropping.Crop(image, top, left, height, width);
        return height == Size.Height && width == Size.Width ? cut.Clone() : Resampler.Resize(cut, Size.Width, Size.Height, Interpolation);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        Rules.CheckIncreasing("scale", Scale, problems);
        Rules.CheckIncreasing("ratio", Ratio, problems);
    }

    // Where no draw fits: the largest middle part of an allowed shape.
    private (int Top, int Left, int Height, int Width) Whole(Image image)
    {
        var shape = (double)image.Width / image.Height;
        var (height, width) = (image.Height, image.Width);
        if (shape < Ratio.Low)
        {
            height = (int)Math.Round(width / Ratio.Low);
        }
        else if (shape > Ratio.High)
        {
            width = (int)Math.Round(height * Ratio.High);
        }

        return ((image.Height - height) / 2, (image.Width - width) / 2, height, width);
    }
}
