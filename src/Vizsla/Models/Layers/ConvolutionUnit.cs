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

    /// <summary>Makes and registers both parts.</summary>
    /// <param name="owner">The module below which they hang.</param>
    /// <param name="names">Their names in the file, below the owner.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="options">Shape of the convolution, which gets no bias.</param>
    /// <param name="activation">The activation; null passes values on as they are.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="momentum">Share of each batch in the running statistics.</param>
    public static ConvolutionUnit Add(
        nn.Module owner, (string Convolution, string Norm) names, long inputs, long outputs, ConvolutionOptions options,
        Func<Tensor, Tensor>? activation, double epsilon = 1e-5, double momentum = 0.1) => new(
        ModuleTree.Add(owner, names.Convolution, new Convolution(inputs, outputs, options with { HasBias = false })),
        ModuleTree.Add(owner, names.Norm, new BatchNormalization(outputs, epsilon, momentum)),
        activation);

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
            ? input.Convolve(folded.Weight, folded.Bias, Convolution.Options)
            : Norm.Forward(Convolution.Forward(input));
        return (_activation is null ? x : Activation.Overwrite(_activation, x)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes one convolution that does the work of both, from the running statistics.</summary>
    public void Fold()
    {
        Unfold();
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        var scale = Norm.Weight.Over(Norm.RunningVariance.Plus(Norm.Epsilon).Sqrt());
        var weight = MemoryLayout.ChannelsLast(Convolution.Weight.Times(scale.Reshape(-1, 1, 1, 1)));
        var shifted = Convolution.Bias is { } bias ? bias.Minus(Norm.RunningMean) : Norm.RunningMean.Times(-1);
        _folded = (weight.DetachFromDisposeScope(), shifted.Times(scale).Plus(Norm.Bias).DetachFromDisposeScope());
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
