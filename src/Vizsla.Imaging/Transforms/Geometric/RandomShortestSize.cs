using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Resizes the picture so that its shorter side has one of several lengths.</summary>
/// <param name="MinSize">The lengths to choose from, pixels.</param>
/// <param name="MaxSize">Largest longer side, pixels; null sets no limit.</param>
/// <param name="Interpolation">Filter; bilinear by default.</param>
/// <param name="Antialias">Without effect: pictures are always anti-aliased, as Pillow does.</param>
/// <remarks>Source: torchvision <c>v2.RandomShortestSize</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomShortestSize(
    [Parameter("min_size", Minimum = 1, Example = "[200, 224, 256]")] ValueList<double> MinSize,
    [Parameter("max_size", Minimum = 1)] int? MaxSize = null,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("antialias")] bool Antialias = true) : ImageTransform
{
    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var shorter = (int)MinSize[rng.NextInt32(0, MinSize.Count)];
        var factor = (double)shorter / Math.Min(image.Height, image.Width);
        if (MaxSize is { } limit)
        {
            factor = Math.Min(factor, (double)limit / Math.Max(image.Height, image.Width));
        }

        var (height, width) = ((int)(image.Height * factor), (int)(image.Width * factor));
        return height == image.Height && width == image.Width ? image : Resampler.Resize(image, width, height, Interpolation);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (MinSize.Count == 0 || MinSize.Any(size => size != Math.Floor(size)))
        {
            problems.Add("min_size must hold at least one whole number.");
        }
    }
}
