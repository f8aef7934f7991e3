using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Compresses the picture as JPEG and opens it again, which leaves JPEG's artifacts.</summary>
/// <param name="Quality">libjpeg's quality, 1 to 100; two numbers are a range to draw from, both included.</param>
/// <remarks>Source: torchvision <c>v2.JPEG</c>. Parity: draws exact, pixels as near as encoder and decoder are (docs/parity.md).</remarks>
[Group(TransformGroup.Photometric, Name = "JPEG")]
public sealed record Jpeg([Parameter("quality", Minimum = 1, Maximum = 100, Example = "[40, 90]")] NumberOrPair Quality) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        var quality = rng.NextInt32((int)Quality.Low, (int)Quality.High + 1);
        using var file = new MemoryStream();
        ImageCodec.SaveJpeg(image, file, quality);
        return ImageCodec.Decode(file.GetBuffer().AsSpan(0, (int)file.Length));
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Rules.CheckIncreasing("quality", (Quality.Low, Quality.High), problems);
        if (Quality.Low != Math.Floor(Quality.Low) || Quality.High != Math.Floor(Quality.High))
        {
            problems.Add($"quality is {Quality}; it must be whole.");
        }
    }
}
