namespace Vizsla.Models.Layers;

/// <summary>TensorFlow's "same" padding: as many zeros as make the output ceil(size / stride), the odd one at the end.</summary>
internal static class SamePadding
{
    /// <summary>Zeros before and after one axis.</summary>
    /// <param name="size">Length of the axis.</param>
    /// <param name="kernel">Kernel along it.</param>
    /// <param name="stride">Stride along it.</param>
    /// <param name="dilation">Distance between the kernel's values.</param>
    public static (long Before, long After) Sides(long size, long kernel, long stride, long dilation = 1)
    {
        var outputs = (size + stride - 1) / stride;
        var total = Math.Max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - size);
        return (total / 2, total - total / 2);
    }
}
