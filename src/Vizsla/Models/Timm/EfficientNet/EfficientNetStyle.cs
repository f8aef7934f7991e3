using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.EfficientNet;

/// <summary>What all layers of one EfficientNet share.</summary>
/// <param name="IsLite">Whether it is a lite one of TensorFlow.</param>
internal sealed record EfficientNetStyle(bool IsLite)
{
    private const double TensorFlowEpsilon = 1e-3;
    private const double TorchEpsilon = 1e-5;

    /// <summary>The activation between layers.</summary>
    public Func<Tensor, Tensor> Activation { get; } = Layers.Activation.Named(IsLite ? "relu6" : "silu");

    /// <summary>Whether blocks weigh their channels.</summary>
    public bool HasSqueeze => !IsLite;

    /// <summary>Epsilon of the batch norms.</summary>
    public double Epsilon => IsLite ? TensorFlowEpsilon : TorchEpsilon;

    /// <summary>A convolution without bias in this style.</summary>
    public ConvolutionOptions Convolution(int kernel, int stride = 1, int groups = 1) => new(kernel)
    {
        Stride = (stride, stride),
        Padding = (kernel / 2, kernel / 2),
        IsSamePadded = IsLite,
        Groups = groups,
        HasBias = false,
    };
}
