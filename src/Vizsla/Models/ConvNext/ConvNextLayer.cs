using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.ConvNext;

// Shapes: B batch, D channels, H height, W width.

/// <summary>One block of a ConvNeXt: a wide convolution per channel, then a perceptron at each place, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>ConvNextLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class ConvNextLayer : Layer
{
    internal const double NormEpsilon = 1e-6;
    private const int KernelSide = 7;

    private readonly ParameterSlot? _scale;
    private readonly Convolution _spatial;
    private readonly LayerNormalization _norm;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly double _layerScale;
    private readonly double _dropPath;

    public ConvNextLayer(ConvNextOptions options, int width, double dropPath)
        : base(nameof(ConvNextLayer))
    {
        _layerScale = options.LayerScale;
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        _scale = options.LayerScale > 0 ? AddParameter("layer_scale_parameter", width) : null;
        _spatial = Add("dwconv", new Convolution(
            width, width, new ConvolutionOptions(KernelSide) { Padding = (KernelSide / 2, KernelSide / 2), Groups = width }));
        _norm = Add("layernorm", new LayerNormalization(width, NormEpsilon));
        _widen = Add("pwconv1", new Dense(width, 4 * width));
        _narrow = Add("pwconv2", new Dense(4 * width, width));
    }

    /// <param name="input">Float [B, D, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _spatial.forward(input).permute(0, 2, 3, 1);                                    // [B, H, W, D]
        x = _narrow.forward(_activation(_widen.forward(_norm.forward(x))));                     // [B, H, W, D]
        x = (_scale is { } scale ? scale.Value * x : x).permute(0, 3, 1, 2);                    // [B, D, H, W]
        return input.Plus(StochasticDepth.Apply(x, _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => Drawing.Fill(_scale?.Value, _layerScale);
}
