using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Runs one transform of a list, chosen at random.</summary>
/// <param name="Transforms">The transforms; at least one.</param>
/// <param name="Weights">Weight of each transform, at least 0; they need not add up to 1. Null weighs all alike.</param>
/// <remarks>Source: torchvision <c>v2.RandomChoice</c>. Parity: exact.</remarks>
[Group(TransformGroup.Container)]
public sealed record RandomChoice(
    [Parameter("transforms", Example = """[{"transform": "Grayscale"}]""")] ValueList<ImageTransform> Transforms,
    [Parameter("p", Minimum = 0)] ValueList<double>? Weights = null) : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input)
    {
        var sizes = Transforms.Select(transform => transform.SizeAfter(input)).Distinct().ToList();
        return sizes.Count == 1 ? sizes[0] : null;
    }

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(rng);
        return Transforms[Draw(Transforms.Count, Weights, rng)].Apply(image, rng);
    }

    /// <inheritdoc />
    protected override void AddProblems(ICollection<string> problems)
    {
        InnerTransforms.AddProblems(Transforms, problems);
        CheckWeights(Transforms.Count, Weights, problems);
    }

    internal static void CheckWeights(int count, ValueList<double>? weights, ICollection<string> problems)
    {
        if (weights is not null && weights.Count != count)
        {
            problems.Add($"p has {weights.Count} numbers for {count} transforms; give one for each.");
        }
        else if (weights is not null && !(weights.Sum() > 0))
        {
            problems.Add("p holds no number above 0; one of the transforms must be possible.");
        }
    }

    internal static int Draw(int count, ValueList<double>? weights, Rng rng)
    {
        var total = weights?.Sum() ?? count;
        Span<float> shares = count <= 64 ? stackalloc float[count] : new float[count];
        for (var i = 0; i < count; i++)
        {
            shares[i] = (float)((weights?[i] ?? 1) / total);
        }

        return rng.NextChoice(shares);
    }
}
