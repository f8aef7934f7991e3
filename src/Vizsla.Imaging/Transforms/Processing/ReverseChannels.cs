using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Swaps red and blue, for models that were trained on BGR pictures.</summary>
/// <remarks>Source: transformers <c>image_transforms.flip_channel_order</c>. Parity: exact.</remarks>
[Group(TransformGroup.Processor)]
public sealed record ReverseChannels : ImageTransform
{
    /// <inheritdoc />
    public override bool IsRandom => false;

    /// <inheritdoc />
    public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

    /// <inheritdoc />
    public override Image Apply(Image image, Rng rng)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Channels.Permute(image, [2, 1, 0]);
    }
}
