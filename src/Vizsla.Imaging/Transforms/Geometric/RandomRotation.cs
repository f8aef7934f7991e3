using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Rotates the picture counter-clockwise by an angle drawn from a range.</summary>
/// <param name="Degrees">Range of the angle in degrees; a single number x is -x to x.</param>
/// <param name="Interpolation">Nearest, bilinear or bicubic; nearest by default.</param>
/// <param name="Expand">Whether the result grows to hold the whole rotated picture; otherwise the size stays and corners are cut.</param>
/// <param name="Center">The point that stays where it is, in pixels from the top left corner; null is the middle.</param>
/// <param name="Fill">Color of the corners; black by default.</param>
/// <remarks>Source: torchvision <c>v2.RandomRotation</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomRotation(
    [Parameter("degrees", Example = "30")] NumberOrPair Degrees,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Nearest,
    [Parameter("expand")] bool Expand = false,
    [Parameter("center")] (double X, double Y)? Center = null,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor Fill = default) : ImageTransform
{
    /// <summary>Rotates by an angle between two angles.</summary>
    /// <param name="low">Smallest angle in degrees.</param>
    /// <param name="high">Largest angle in degrees.</param>
    public RandomRotation(double low, double high)
        : this((low, high))
    {
    }

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => Expand ? null : input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        var (low, high) = Degrees.AroundZero;
        return Rotation.Rotate(image, rng.Uniform(low, high), Interpolation, Expand, Center, Fill);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Rules.CheckAngle("degrees", Degrees, problems);
        Rules.CheckSamplingFilter(Interpolation, problems);
    }
}
