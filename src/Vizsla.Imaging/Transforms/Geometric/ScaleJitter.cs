using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Resizes the picture to a random size around a target, keeping its shape.</summary>
/// <param name="TargetSize">Height and width in pixels that a factor of 1 fits the picture into; one number is a square.</param>
/// <param name="Interpolation">Filter; bilinear by default.</param>
/// <param name="Antialias">Without effect: pictures are always anti-aliased, as Pillow does.</param>
/// <remarks>Source: torchvision <c>v2.ScaleJitter</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record ScaleJitter(
    [Parameter("target_size", Minimum = 1, Example = "[224, 224]")] ImageSize TargetSize,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("antialias")] bool Antialias = true) : ImageTransform
{
    /// <summary>Range of the factor.</summary>
    [Parameter("scale_range", Minimum = 0)]
    public (double Low, double High) ScaleRange { get; init; } = (0.1, 2.0);

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var scale = (float)ScaleRange.Low + (rng.NextSingle() * (float)(ScaleRange.High - ScaleRange.Low));

        // torchvision divides the target's width by the picture's height and the other way round.
        var fit = Math.Min((double)TargetSize.Width / image.Height, (double)TargetSize.Height / image.Width);
        var factor = (float)fit * scale;
        var (height, width) = ((int)(image.Height * factor), (int)(image.Width * factor));
        return height == image.Height && width == image.Width ? image : Resampler.Resize(image, width, height, Interpolation);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => Rules.CheckIncreasing("scale_range", ScaleRange, problems);
}
