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

    /// <summary>Distance between the values of the kernel; 1 by default.</summary>
    public long Dilation { get; init; } = 1;

    /// <summary>TensorFlow's "same" padding, decided by the size of each input; replaces <see cref="Padding"/>.</summary>
    public bool IsSamePadded { get; init; }

    /// <summary>Groups of channels that do not see each other; 1 by default.</summary>
    public long Groups { get; init; } = 1;

    /// <summary>Whether a bias is added.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Convolves; the caller owns the result.</summary>
    public Tensor Apply(Tensor input, Tensor weight, Tensor? bias)
    {
        var strides = new[] { Stride.Height, Stride.Width };
        var dilations = new[] { Dilation, Dilation };
        if (!IsSamePadded)
        {
            return nn.functional.conv2d(input, weight, bias, strides, [Padding.Height, Padding.Width], dilations, Groups);
        }

        var (top, bottom) = SamePadding.Sides(input.shape[2], Kernel.Height, Stride.Height, Dilation);
        var (left, right) = SamePadding.Sides(input.shape[3], Kernel.Width, Stride.Width, Dilation);
        if (top == bottom && left == right)
        {
            return nn.functional.conv2d(input, weight, bias, strides, [top, left], dilations, Groups);
        }

        using var padded = nn.functional.pad(input, (left, right, top, bottom));
        return nn.functional.conv2d(padded, weight, bias, strides, [0, 0], dilations, Groups);
    }
}
