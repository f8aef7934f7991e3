using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Changes brightness, contrast, saturation, hue and the order of the channels, each with the same probability.</summary>
/// <param name="Probability">Probability of each change, between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomPhotometricDistort</c> (from SSD). Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomPhotometricDistort([Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ImageTransform
{
    /// <summary>Range of the brightness factor.</summary>
    [Parameter("brightness", Minimum = 0)]
    public (double Low, double High) Brightness { get; init; } = (0.875, 1.125);

    /// <summary>Range of the contrast factor.</summary>
    [Parameter("contrast", Minimum = 0)]
    public (double Low, double High) Contrast { get; init; } = (0.5, 1.5);

    /// <summary>Range of the saturation factor.</summary>
    [Parameter("saturation", Minimum = 0)]
    public (double Low, double High) Saturation { get; init; } = (0.5, 1.5);

    /// <summary>Range of the hue shift in turns of the color circle.</summary>
    [Parameter("hue", Minimum = -0.5, Maximum = 0.5)]
    public (double Low, double High) Hue { get; init; } = (-0.05, 0.05);

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var brightness = Draw(Brightness, rng);
        var contrast = Draw(Contrast, rng);
        var saturation = Draw(Saturation, rng);
        var hue = Draw(Hue, rng);
        var contrastFirst = rng.NextSingle() < 0.5f;
        Span<int> order = stackalloc int[3];
        var reorders = rng.NextSingle() < (float)Probability;
        if (reorders)
        {
            rng.Permutation(order);
        }

        var steps = new ImageSteps(image);
        steps.Add(brightness, Enhance.Brightness);
        steps.Add(contrastFirst ? contrast : null, Enhance.Contrast);
        steps.Add(saturation, Enhance.Saturation);
        steps.Add(hue, HueShift.Apply);
        steps.Add(contrastFirst ? null : contrast, Enhance.Contrast);
        if (reorders)
        {
            steps.Replace(Channels.Permute(steps.Current, order));
        }

        return steps.Current;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        Rules.CheckIncreasing("brightness", Brightness, problems);
        Rules.CheckIncreasing("contrast", Contrast, problems);
        Rules.CheckIncreasing("saturation", Saturation, problems);
        Rules.CheckIncreasing("hue", Hue, problems);
    }

    private double? Draw((double Low, double High) range, Rng rng) =>
        rng.NextSingle() < (float)Probability ? rng.Uniform(range.Low, range.High) : null;
}
