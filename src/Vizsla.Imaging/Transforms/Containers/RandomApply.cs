using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Runs a list of transforms with a given probability, all or none.</summary>
/// <param name="Transforms">The transforms in order; at least one.</param>
/// <param name="Probability">Between 0 and 1.</param>
/// <remarks>Source: torchvision <c>v2.RandomApply</c>. Parity: exact.</remarks>
[Group(TransformGroup.Container)]
public sealed record RandomApply(
    [Parameter("transforms", Example = """[{"transform": "Grayscale"}]""")] ValueList<ImageTransform> Transforms,
    [Parameter("p", Minimum = 0, Maximum = 1)] double Probability = 0.5) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => InnerTransforms.CommonSize(Transforms, input);

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        return rng.NextSingle() < (float)Probability ? PipelinePlan.Apply(Transforms.AsSpan(), image, rng) : image;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => InnerTransforms.AddProblems(Transforms, problems);
}
