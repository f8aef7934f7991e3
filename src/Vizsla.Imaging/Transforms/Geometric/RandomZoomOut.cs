using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Places the picture at random on a larger canvas, with a given probability.</summary>
/// <param name="Fill">Color of the canvas; black by default.</param>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomZoomOut</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomZoomOut(
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor Fill = default,
    [Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ChanceTransform(Probability)
{
    /// <summary>Range of the canvas' sides in multiples of the picture's.</summary>
    [Parameter("side_range", Minimum = 1)]
    public (double Low, double High) SideRange { get; init; } = (1.0, 4.0);

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => null;

    /// <inheritdoc />
    protected override Image Change(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var factor = (float)SideRange.Low + (rng.NextSingle() * (float)(SideRange.High - SideRange.Low));
        var width = (int)(image.Width * factor);
        var height = (int)(image.Height * factor);
        var left = (int)((width - image.Width) * rng.NextSingle());
        var top = (int)((height - image.Height) * rng.NextSingle());
        return Cropping.Pad(image, (left, top, width - left - image.Width, height - top - image.Height), Fill, PaddingMode.Constant);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => Rules.CheckIncreasing("side_range", SideRange, problems);
}
