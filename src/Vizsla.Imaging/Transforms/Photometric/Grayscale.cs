using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Turns the picture gray.</summary>
/// <param name="OutputChannelCount">1 or 3 in torchvision; here the gray always stands in three channels.</param>
/// <remarks>Source: torchvision <c>v2.Grayscale</c>. Parity: exact, as the three channels that <c>convert("RGB")</c> of the result has.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record Grayscale([Parameter("num_output_channels", Minimum = 1, Maximum = 3)] int OutputChannelCount = 1) : ImageTransform
{
    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Enhance.Grayscale(image);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (OutputChannelCount == 2)
        {
            problems.Add("num_output_channels is 2, expected 1 or 3.");
        }
    }
}
