using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

// Shapes: B batch, C channels, R reduced channels, H height, W width.

/// <summary>Weighs channels by what the whole plane holds.</summary>
/// <remarks>Source: transformers <c>EfficientNetSqueezeExciteLayer</c>, timm <c>SqueezeExcite</c>. Parity: 1e-5.</remarks>
internal sealed class SqueezeExcitation : Layer
{
    private static readonly long[] _plane = [2, 3];

    private readonly Convolution _reduce;
    private readonly Convolution _expand;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly Func<Tensor, Tensor> _gate;

    /// <param name="channels">Channels of the plane.</param>
    /// <param name="reduced">Channels between the two convolutions.</param>
    /// <param name="activation">Activation between them.</param>
    /// <param name="names">Names of the two convolutions in the file.</param>
    /// <param name="gate">Makes a share of each channel of what the second one gives; null takes the sigmoid.</param>
    public SqueezeExcitation(int channels, int reduced, Func<Tensor, Tensor> activation, (string Reduce, string Expand) names, Func<Tensor, Tensor>? gate = null)
        : base(nameof(SqueezeExcitation))
    {
        _activation = activation;
        _gate = gate ?? TensorMath.Sigmoid;
        _reduce = Add(names.Reduce, new Convolution(channels, reduced, new ConvolutionOptions(1)));
        _expand = Add(names.Expand, new Convolution(reduced, channels, new ConvolutionOptions(1)));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var squeezed = _activation(_reduce.Forward(input.Mean(_plane, keepsAxes: true)));         // [B, R, 1, 1]
        return input.Times(_gate(_expand.Forward(squeezed))).MoveToOuterDisposeScope();         // [B, C, H, W]
    }
}
