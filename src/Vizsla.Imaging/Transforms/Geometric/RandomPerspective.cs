using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Looks at the picture from another side, with a given probability: each corner moves inward by a random amount.</summary>
/// <param name="DistortionScale">How far a corner may move, as a share of half the side, 0 to 1.</param>
/// <param name="Probability">Between 0 and 1.</param>
/// <param name="Interpolation">Nearest, bilinear or bicubic; bilinear by default.</param>
/// <param name="Fill">Color of what comes from outside; black by default.</param>
/// <remarks>Source: torchvision <c>v2.RandomPerspective</c>. Parity: exact, but for a coefficient that lies on a rounding boundary of float32.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomPerspective(
    [Parameter("distortion_scale", Minimum = 0, Maximum = 1)] double DistortionScale = 0.5,
    [Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor Fill = default) : ChanceTransform(Probability)
{
    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var (width, height) = (image.Width, image.Height);
        var farthestX = (int)(DistortionScale * (width / 2)) + 1;
        var farthestY = (int)(DistortionScale * (height / 2)) + 1;
        Span<(int X, int Y)> corners = stackalloc (int, int)[4];
        corners[0].X = rng.NextInt32(0, farthestX);
        corners[0].Y = rng.NextInt32(0, farthestY);
        corners[1].X = rng.NextInt32(width - farthestX, width);
        corners[1].Y = rng.NextInt32(0, farthestY);
        corners[2].X = rng.NextInt32(width - farthestX, width);
        corners[2].Y = rng.NextInt32(height - farthestY, height);
        corners[3].X = rng.NextInt32(0, farthestX);
        corners[3].Y = rng.NextInt32(height - farthestY, height);
        var map = PerspectiveMap.Between([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], corners);
        var result = new Image(width, height);
        AffineSampler.Fill(result, Fill);
        PixelSampler.Sample(image, result, map, Interpolation);
        return result;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => Rules.CheckSamplingFilter(Interpolation, problems);
}
