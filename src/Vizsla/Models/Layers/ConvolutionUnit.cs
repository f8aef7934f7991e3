using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A convolution, the batch norm behind it, and an activation, wherever the file's names put the first two.</summary>
/// <param name="convolution">The convolution; registered by the caller.</param>
/// <param name="norm">The batch norm; registered by the caller.</param>
/// <param name="activation">The activation; null passes values on as they are.</param>
internal sealed class ConvolutionUnit(Convolution convolution, BatchNormalization norm, Func<Tensor, Tensor>? activation)
{
    /// <summary>The convolution.</summary>
    public Convolution Convolution => convolution;

    /// <summary>The batch norm.</summary>
    public BatchNormalization Norm => norm;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = norm.forward(convolution.forward(input));
        return (activation is null ? x : activation(x)).MoveToOuterDisposeScope();
    }
}
