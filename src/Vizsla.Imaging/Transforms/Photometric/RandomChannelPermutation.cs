using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Puts the three channels in a random order.</summary>
/// <remarks>Source: torchvision <c>v2.RandomChannelPermutation</c>. Parity: exact.</remarks>
[Group(TransformGroup.Photometric)]
public sealed record RandomChannelPermutation : ImageTransform
{
    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(rng);
        Span<int> order = stackalloc int[3];
        rng.Permutation(order);
        return Channels.Permute(image, order);
    }
}
