using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>The shape of a convolution.</summary>
/// <param name="Kernel">Height and width of the kernel.</param>
internal sealed record ConvolutionOptions((long Height, long Width) Kernel)
{
    /// <summary>A square kernel.</summary>
    public ConvolutionOptions(long side)
        : this((side, side))
    {
    }

    /// <summary>Step of the kernel; 1 by default.</summary>
    public (long Height, long Width) Stride { get; init; } = (1, 1);

    /// <summary>Zeros added on each side; none by default.</summary>
    public (long Height, long Width) Padding { get; init; }

    /// <summary>Zeros added on each edge where the edges differ; null takes <see cref="Padding"/>.</summary>
    public (long Left, long Right, long Top, long Bottom)? Edges { get; init; }

    /// <summary>Distance between the values of the kernel; 1 by default.</summary>
    public long Dilation { get; init; } = 1;

    /// <summary>TensorFlow's "same" padding, decided by the size of each input; replaces <see cref="Padding"/>.</summary>
    public bool IsSamePadded { get; init; }

    /// <summary>Groups of channels that do not see each other; 1 by default.</summary>
    public long Groups { get; init; } = 1;

    /// <summary>Whether a bias is added.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>A square kernel of odd side in the middle of its padding, so that a step of 1 keeps the size.</summary>
    public static ConvolutionOptions Centered(int side, int stride = 1, long groups = 1, long dilation = 1)
    {
        var padding = (side - 1) / 2 * dilation;
        return new ConvolutionOptions(side) { Stride = (stride, stride), Padding = (padding, padding), Groups = groups, Dilation = dilation };
    }

    /// <summary>Convolves; the caller owns the result.</summary>
    public Tensor Apply(Tensor input, Tensor weight, Tensor? bias)
    {
        if (PaddingOf(input) is not { } edges)
        {
            return Convolve(input, weight, bias, Padding);
        }

        if (edges.Left == edges.Right && edges.Top == edges.Bottom)
        {
            return Convolve(input, weight, bias, (edges.Top, edges.Left));
        }

        var (across, down) = (edges.Right - edges.Left, edges.Bottom - edges.Top);
        var needsGradient = is_grad_enabled() && (input.requires_grad || weight.requires_grad);
        if (!needsGradient && Dilation == 1 && across is 0 or 1 && down is 0 or 1)
        {
            // A row and a column of zeros before the kernel and equal edges around the plane: the same sums without a copy of the plane. Backward would pay for the larger kernel.
            using var wider = nn.functional.pad(weight, (across, 0, down, 0));
            return Convolve(input, wider, bias, (edges.Bottom, edges.Right));
        }

        using var padded = nn.functional.pad(input, edges);
        return Convolve(padded, weight, bias, (0, 0));
    }

    /// <summary>Height and width of what <see cref="Apply"/> makes of planes.</summary>
    public (long Height, long Width) SizeOf(Tensor input)
    {
        var (left, right, top, bottom) = PaddingOf(input) ?? (Padding.Width, Padding.Width, Padding.Height, Padding.Height);
        return (
            Places(input.shape[2] + top + bottom, Kernel.Height, Stride.Height),
            Places(input.shape[3] + left + right, Kernel.Width, Stride.Width));
    }

    private long Places(long length, long kernel, long stride) => (length - Dilation * (kernel - 1) - 1) / stride + 1;

    private (long Left, long Right, long Top, long Bottom)? PaddingOf(Tensor input)
    {
        if (!IsSamePadded)
        {
            return Edges;
        }

        var (top, bottom) = SamePadding.Sides(input.shape[2], Kernel.Height, Stride.Height, Dilation);
        var (left, right) = SamePadding.Sides(input.shape[3], Kernel.Width, Stride.Width, Dilation);
        return (left, right, top, bottom);
    }

    private Tensor Convolve(Tensor input, Tensor weight, Tensor? bias, (long Height, long Width) padding) =>
        Convolutions.Convolve(
            input, weight, bias, [Stride.Height, Stride.Width], [padding.Height, padding.Width], [Dilation, Dilation], Groups);
}
