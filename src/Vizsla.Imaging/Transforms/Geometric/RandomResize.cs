using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Resizes the picture so that its shorter side has a random length.</summary>
/// <param name="MinSize">Shortest length, pixels.</param>
/// <param name="MaxSize">One more than the longest length, pixels.</param>
/// <param name="Interpolation">Filter; bilinear by default.</param>
/// <param name="Antialias">Without effect: pictures are always anti-aliased, as Pillow does.</param>
/// <remarks>Source: torchvision <c>v2.RandomResize</c>. Parity: exact.</remarks>
[Group(TransformGroup.Geometric)]
public sealed record RandomResize(
    [Parameter("min_size", Minimum = 1, Example = "200")] int MinSize,
    [Parameter("max_size", Minimum = 2, Example = "260")] int MaxSize,
    [Parameter("interpolation")] Interpolation Interpolation = Interpolation.Bilinear,
    [Parameter("antialias")] bool Antialias = true) : ImageTransform
{
    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        return new Resize(rng.NextInt32(MinSize, MaxSize), Interpolation).Apply(image, rng);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (MinSize >= MaxSize)
        {
            problems.Add(Invariant($"min_size is {MinSize}, expected less than max_size {MaxSize}."));
        }
    }
}
