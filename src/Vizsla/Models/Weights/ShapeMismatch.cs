namespace Vizsla.Models.Weights;

/// <summary>A weight that file and model have in different shapes.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="FileShape">Shape in the file.</param>
/// <param name="ModelShape">Shape in the model.</param>
public sealed record ShapeMismatch(string Name, IReadOnlyList<long> FileShape, IReadOnlyList<long> ModelShape)
{
    /// <summary>A shape as torch prints it: <c>torch.Size([1000, 768])</c>.</summary>
    internal static string Size(IReadOnlyList<long> shape) => $"torch.Size([{string.Join(", ", shape)}])";
}
