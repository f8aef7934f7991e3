using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Pastes a rectangle of the picture before into each picture of a batch, and mixes their labels by the rectangle's share.</summary>
/// <param name="Alpha">The share that stays is drawn from Beta(alpha, alpha); above 0, 1 by default.</param>
/// <param name="ClassCount">Number of classes; null takes that of the targets.</param>
/// <remarks>Source: torchvision <c>v2.CutMix</c> (Yun et al. 2019). Parity: exact.</remarks>
[Group(TransformGroup.Batch)]
public sealed record CutMix(
    [Parameter("alpha")] double Alpha = 1,
    [Parameter("num_classes", Minimum = 1)] int? ClassCount = null) : BatchTransform
{
    /// <inheritdoc />
    protected internal override void Mix(Span<float> pixels, (int Channels, int Height, int Width) shape, SoftTargets targets, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(rng);
        Rules.CheckClassCount(ClassCount, targets);
        var (_, height, width) = shape;
        double share = rng.NextBeta(Alpha, Alpha);
        var centerX = rng.NextInt32(0, width);
        var centerY = rng.NextInt32(0, height);
        var reach = 0.5 * Math.Sqrt(1 - share);
        var (reachX, reachY) = ((int)(reach * width), (int)(reach * height));
        var (left, right) = (Math.Max(centerX - reachX, 0), Math.Min(centerX + reachX, width));
        var (top, bottom) = (Math.Max(centerY - reachY, 0), Math.Min(centerY + reachY, height));
        RolledMix.WithNeighbors(pixels, shape.Channels * height * width, (picture, neighbor) =>
        {
            for (var channel = 0; channel < shape.Channels; channel++)
            {
                for (var y = top; y < bottom; y++)
                {
                    var start = (((channel * height) + y) * width) + left;
                    neighbor.Slice(start, right - left).CopyTo(picture[start..]);
                }
            }
        });
        RolledMix.Apply(targets.Values, targets.ClassCount, 1.0 - ((double)((right - left) * (bottom - top)) / (width * height)));
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => Rules.CheckAlpha(Alpha, problems);
}
