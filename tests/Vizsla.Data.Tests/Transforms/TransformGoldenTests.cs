namespace Vizsla.Tests.Transforms;

/// <summary>Transforms against torchvision: every case of <c>transforms/</c>.</summary>
[Trait("Category", "Golden")]
public sealed partial class TransformGoldenTests
{
}
