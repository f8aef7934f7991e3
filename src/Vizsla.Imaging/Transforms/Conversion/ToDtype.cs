namespace Vizsla.Transforms;

/// <summary>Makes float32 values of the picture.</summary>
/// <param name="Scale">Whether levels become 0 to 1 (times 1/255); otherwise they keep their value, 0 to 255.</param>
/// <remarks>Source: torchvision <c>v2.ToImage()</c>, then <c>v2.ToDtype(torch.float32, scale=True)</c>. Parity: exact.</remarks>
[Group(TransformGroup.Tensor)]
public sealed record ToDtype([Parameter("scale")] bool Scale = false) : PointwiseConversion
{
    internal override float Convert(byte level) => Scale ? level * (float)(1.0 / 255) : level;
}
