using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

/// <summary>A convolution, the norm behind it and an activation; one convolution in prediction where the norm is a batch norm.</summary>
internal sealed class TimmUnit
{
    private readonly Convolution _convolution;
    private readonly TensorLayer _norm;
    private readonly Func<Tensor, Tensor>? _activation;
    private readonly ConvolutionUnit? _foldable;

    /// <param name="convolution">The convolution; registered by the caller.</param>
    /// <param name="norm">The norm; registered by the caller.</param>
    /// <param name="activation">The activation; null passes values on as they are.</param>
    public TimmUnit(Convolution convolution, TensorLayer norm, Func<Tensor, Tensor>? activation)
    {
        _convolution = convolution;
        _norm = norm;
        _activation = activation;
        _foldable = norm is BatchNormalization batch ? new ConvolutionUnit(convolution, batch, activation) : null;
    }

    /// <summary>The norm.</summary>
    public TensorLayer Norm => _norm;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        if (_foldable is not null)
        {
            return _foldable.Forward(input);
        }

        using var scope = NewDisposeScope();
        var x = _norm.Forward(_convolution.Forward(input));
        return (_activation is null ? x : _activation(x)).MoveToOuterDisposeScope();
    }
}
