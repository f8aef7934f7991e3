using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Runs all transforms of a list in random order.</summary>
/// <param name="Transforms">The transforms; at least one.</param>
/// <remarks>Source: torchvision <c>v2.RandomOrder</c>. Parity: exact.</remarks>
[Group(TransformGroup.Container)]
public sealed record RandomOrder(
    [Parameter("transforms", Example = """[{"transform": "Grayscale"}]""")] ValueList<ImageTransform> Transforms) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => InnerTransforms.CommonSize(Transforms, input);

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        Span<int> order = Transforms.Count <= 64 ? stackalloc int[Transforms.Count] : new int[Transforms.Count];
        rng.Permutation(order);
        var steps = new ImageSteps(image);
        foreach (var index in order)
        {
            steps.Replace(Transforms[index].Apply(steps.Current, rng));
        }

        return steps.Current;
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems) => InnerTransforms.AddProblems(Transforms, problems);
}
