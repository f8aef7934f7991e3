using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Rotates, moves, scales and shears the picture by random amounts; its size stays.</summary>
/// <param name="Degrees">Range of the clockwise angle in degrees; a single number x is -x to x.</param>
/// <param name="Translate">Largest shift along rows and along columns, as shares of width and height; null does not shift.</param>
/// <param name="Scale">Range of the size factor; null does not scale.</param>
/// <param name="Shear">Range of the shear in degrees: x is -x to x along rows, two numbers a range along rows, four a range along rows and one along columns; null does not shear.</param>
/// <param name="Interpolation">Nearest, bilinear or bicubic; nearest by default.</param>
/// <param name="Fill">Color of what comes from outside; black by default.</param>
/// <param name="Center">The point that stays where it is, in pixels from the top left corner; null is the middle.</param>
/// <remarks>Source: torchvision <c>v2.RandomAffine</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomAffine(
    [Parameter("degrees", Example = "15")] NumberOrPair Degrees,
    [Parameter("translate", Minimum = 0, Maximum = 1)] (double X, double Y)? Translate = null,
    [Parameter("scale")] (double Low, double High)? Scale = null,
    [Parameter("shear")] ValueList<double>? Shear = null,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Nearest,
    [Parameter("fill", Minimum = 0, Maximum = 255)] FillColor Fill = default,
    [Parameter("center")] (double X, double Y)? Center = null) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var angle = (double)rng.Uniform(Degrees.AroundZero.Low, Degrees.AroundZero.High);
        (double X, double Y) shift = (0, 0);
        if (Translate is { } share)
        {
            var (farthestX, farthestY) = (share.X * image.Width, share.Y * image.Height);
            shift.X = Math.Round(rng.Uniform(-farthestX, farthestX));
            shift.Y = Math.Round(rng.Uniform(-farthestY, farthestY));
        }

        var scale = Scale is { } range ? rng.Uniform(range.Low, range.High) : 1.0;
        (double X, double Y) shear = (0, 0);
        if (Shear is { } given)
        {
            shear.X = given.Count == 1 ? rng.Uniform(-given[0], given[0]) : rng.Uniform(given[0], given[1]);
            shear.Y = given.Count == 4 ? rng.Uniform(given[2], given[3]) : 0;
        }

        var center = Center ?? (image.Width * 0.5, image.Height * 0.5);
        var matrix = AffineMatrix.Inverse(center, angle, shift, scale, shear);
        return AffineSampler.Transform(image, image.Width, image.Height, matrix, Interpolation, Fill);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Rules.CheckAngle("degrees", Degrees, problems);
        Rules.CheckSamplingFilter(Interpolation, problems);
        if (Scale is { } scale)
        {
            Rules.CheckIncreasing("scale", scale, problems);
            if (scale.Low <= 0)
            {
                problems.Add(FormattableString.Invariant($"scale is ({scale.Low}, {scale.High}); its values must be positive."));
            }
        }

        if (Shear is not { } shear)
        {
            return;
        }

        if (shear.Count is not (1 or 2 or 4))
        {
            problems.Add($"shear has {shear.Count} numbers; give one, two (along rows) or four (along rows, along columns).");
        }
        else if (shear.Count == 1 && shear[0] < 0)
        {
            problems.Add(FormattableString.Invariant($"shear is {shear[0]}; a single number stands for -x to x and must not be negative."));
        }

        for (var i = 0; i + 1 < shear.Count; i += 2)
        {
            Rules.CheckIncreasing("shear", (shear[i], shear[i + 1]), problems);
        }
    }
}
