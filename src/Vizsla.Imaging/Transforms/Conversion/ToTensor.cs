namespace Vizsla.Transforms;

/// <summary>Makes floats from 0 to 1: each level divided by 255.</summary>
/// <remarks>Source: torchvision <c>v2.ToTensor</c>. Parity: exact; <see cref="ToDtype"/> multiplies instead and differs in the last bit of some levels.</remarks>
[Group(TransformGroup.Tensor)]
public sealed record ToTensor : PointwiseConversion
{
    internal override float Convert(byte level) => level / 255f;
}
