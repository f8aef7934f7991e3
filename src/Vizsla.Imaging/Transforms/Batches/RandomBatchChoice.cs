using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Runs one batch transform of a list, chosen at random for each batch.</summary>
/// <param name="Transforms">The transforms; at least one.</param>
/// <param name="Weights">Weight of each transform, at least 0; they need not add up to 1. Null weighs all alike.</param>
/// <remarks>Source: torchvision <c>v2.RandomChoice</c> over batch transforms. Parity: exact.</remarks>
[Group(TransformGroup.Batch)]
public sealed record RandomBatchChoice(
    [Parameter("transforms", Example = """[{"transform": "MixUp"}, {"transform": "CutMix"}]""")] ValueList<BatchTransform> Transforms,
    [Parameter("p", Minimum = 0)] ValueList<double>? Weights = null) : BatchTransform
{
    /// <inheritdoc />
    protected internal override void Mix(Span<float> pixels, (int Channels, int Height, int Width) shape, SoftTargets targets, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        Transforms[RandomChoice.Draw(Transforms.Count, Weights, rng)].Mix(pixels, shape, targets, rng);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        InnerTransforms.AddProblems(Transforms, problems);
        RandomChoice.CheckWeights(Transforms.Count, Weights, problems);
    }
}
