using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A convolution, the batch norm behind it, and an activation, wherever the file's names put the first two.</summary>
internal sealed class ConvolutionUnit : IFoldable
{
    private readonly Func<Tensor, Tensor>? _activation;
    private readonly FoldedConvolution _folded = new();

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
        var x = _folded.Current is { } folded
            ? input.Convolve(folded.Weight, folded.Bias, Convolution.Options)
            : Norm.Forward(Convolution.Forward(input));
        return (_activation is null ? x : Activation.Overwrite(_activation, x)).MoveToOuterDisposeScope();
    }

    public bool CanFold => Convolution.Adapter is null;

    public void Fold()
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        var (weight, bias) = Folding.Joined(Convolution.Weight, Convolution.Bias, Norm);
        _folded.Set(MemoryLayout.ChannelsLast(weight), bias);
    }

    public void Unfold() => _folded.Clear();
}
