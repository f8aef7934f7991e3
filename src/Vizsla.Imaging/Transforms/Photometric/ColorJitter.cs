using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Changes brightness, contrast, saturation and hue by random factors, in random order.</summary>
/// <param name="Brightness">Range of the factor (1 leaves the picture); a single number x is max(0, 1 - x) to 1 + x; null leaves it out.</param>
/// <param name="Contrast">As brightness.</param>
/// <param name="Saturation">As brightness.</param>
/// <param name="Hue">Range of the shift in turns of the color circle, within -0.5 to 0.5; a single number x is -x to x; null leaves it out.</param>
/// <remarks>Source: torchvision <c>v2.ColorJitter</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record ColorJitter(
    [Parameter("brightness")] NumberOrPair? Brightness = null,
    [Parameter("contrast")] NumberOrPair? Contrast = null,
    [Parameter("saturation")] NumberOrPair? Saturation = null,
    [Parameter("hue")] NumberOrPair? Hue = null) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        Span<int> order = stackalloc int[4];
        rng.Permutation(order);
        var brightness = Draw(Factors(Brightness), 1, rng);
        var contrast = Draw(Factors(Contrast), 1, rng);
        var saturation = Draw(Factors(Saturation), 1, rng);
        var hue = Draw(Hue?.AroundZero, 0, rng);
        var steps = new ImageSteps(image);
        foreach (var operation in order)
        {
            switch (operation)
            {
                case 0:
                    steps.Add(brightness, Enhance.Brightness);
                    break;
                case 1:
                    steps.Add(contrast, Enhance.Contrast);
                    break;
                case 2:
                    steps.Add(saturation, Enhance.Saturation);
                    break;
                default:
                    steps.Add(hue, HueShift.Apply);
                    break;
            }
        }

        return steps.Current;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Check("brightness", Brightness, Factors(Brightness), (0, double.PositiveInfinity), problems);
        Check("contrast", Contrast, Factors(Contrast), (0, double.PositiveInfinity), problems);
        Check("saturation", Saturation, Factors(Saturation), (0, double.PositiveInfinity), problems);
        Check("hue", Hue, Hue?.AroundZero, (-0.5, 0.5), problems);
    }

    private static void Check(
        string name, NumberOrPair? given, (double Low, double High)? range, (double Low, double High) bound, ICollection<string> problems)
    {
        if (given is { IsPair: false, Low: < 0 })
        {
            problems.Add($"{name} is {given}; a single number must not be negative.");
        }
        else if (range is { } drawn && !(bound.Low <= drawn.Low && drawn.Low <= drawn.High && drawn.High <= bound.High))
        {
            var limits = double.IsInfinity(bound.High) ? "at least 0" : FormattableString.Invariant($"from {bound.Low} to {bound.High}");
            problems.Add(FormattableString.Invariant($"{name} is {given}; its values must be {limits}, the smaller one first."));
        }
    }

    private static (double Low, double High)? Factors(NumberOrPair? given) => given switch
    {
        null => null,
        { IsPair: true } range => (range.Low, range.High),
        { } number => (Math.Max(1 - number.Low, 0), 1 + number.Low),
    };

    // A range that can only leave the picture as it is draws nothing.
    private static double? Draw((double Low, double High)? range, double neutral, Rng rng) =>
        range is not { } drawn || (drawn.Low == neutral && drawn.High == neutral) ? null : rng.Uniform(drawn.Low, drawn.High);
}
