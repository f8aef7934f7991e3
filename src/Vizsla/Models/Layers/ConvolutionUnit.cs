using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A convolution, the batch norm behind it, and an activation, wherever the file's names put the first two.</summary>
internal sealed class ConvolutionUnit
{
    private readonly Func<Tensor, Tensor>? _activation;
    private (Tensor Weight, Tensor Bias)? _folded;
    private (Tensor Weight, Tensor Bias)? _lowered;

    /// <param name="convolution">The convolution; registered by the caller.</param>
    /// <param name="norm">The batch norm; registered by the caller.</param>
    /// <param name="activation">The activation; null passes values on as they are.</param>
    public ConvolutionUnit(Convolution convolution, BatchNormalization norm, Func<Tensor, Tensor>? activation)
    {
        Convolution = convolution;
        Norm = norm;
        _activation = activation;
        norm.Unit = this;
    }

    /// <summary>The convolution.</summary>
    public Convolution Convolution { get; }

    /// <summary>The batch norm.</summary>
    public BatchNormalization Norm { get; }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = Folded() is { } folded
            ? Convolution.Options.Apply(input, folded.Weight, folded.Bias)
            : Norm.forward(Convolution.forward(input));
        return (_activation is null ? x : Activation.Overwrite(_activation, x)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes one convolution that does the work of both, from the running statistics.</summary>
    public void Fold()
    {
        Unfold();
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        var scale = Norm.Weight / Norm.RunningVariance.Plus(Norm.Epsilon).sqrt();
        var weight = MemoryLayout.ChannelsLast(Convolution.Weight * scale.view(-1, 1, 1, 1));
        var shifted = Convolution.Bias is { } bias ? bias - Norm.RunningMean : -Norm.RunningMean;
        _folded = (weight.DetachFromDisposeScope(), (shifted * scale).Plus(Norm.Bias).DetachFromDisposeScope());
    }

    /// <summary>Forgets the folded convolution.</summary>
    public void Unfold()
    {
        Dispose(ref _folded);
        Dispose(ref _lowered);
    }

    /// <summary>The folded convolution in the precision of the scope; autocast itself keeps no copy of a weight that is not trained.</summary>
    private (Tensor Weight, Tensor Bias)? Folded()
    {
        if (_folded is not { } exact || Autocast.Current(exact.Weight.device_type) is not { } type)
        {
            return _folded;
        }

        if (_lowered?.Weight.dtype != type)
        {
            Dispose(ref _lowered);
            _lowered = (exact.Weight.to(type).DetachFromDisposeScope(), exact.Bias.to(type).DetachFromDisposeScope());
        }

        return _lowered;
    }

    private static void Dispose(ref (Tensor Weight, Tensor Bias)? pair)
    {
        pair?.Weight.Dispose();
        pair?.Bias.Dispose();
        pair = null;
    }
}
