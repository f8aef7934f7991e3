namespace Vizsla.Transforms;

/// <summary>Makes floats by multiplying each level in double precision, as image processors do.</summary>
/// <param name="Factor">Factor of a level; 1/255 gives 0 to 1.</param>
/// <param name="Offset">Added afterwards in single precision; -1 with a factor of 1/127.5 gives -1 to 1.</param>
/// <remarks>Source: transformers <c>image_transforms.rescale</c>. Parity: exact.</remarks>
[Group(TransformGroup.Processor)]
public sealed record Rescale(
    [Parameter("rescale_factor")] double Factor = 1.0 / 255,
    [Parameter("offset")] double Offset = 0) : PointwiseConversion
{
    internal override float Convert(byte level) => (float)(level * Factor) + (float)Offset;
}
