using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.ResNet;

// Shapes: B batch, C channels, H height, W width.

/// <summary>One block of timm's ResNet: two wide convolutions, or a narrow one between two of single places, beside a shortcut.</summary>
/// <remarks>Source: timm <c>BasicBlock</c>, <c>Bottleneck</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class TimmResNetBlock : Layer
{
    private readonly List<ConvolutionUnit> _units = [];
    private readonly ConvolutionUnit? _shortcut;
    private readonly double _dropPath;

    /// <param name="inputs">Channels of the input.</param>
    /// <param name="width">Channels of the inner convolutions.</param>
    /// <param name="stride">Step of the 3x3 convolution that shrinks the plane.</param>
    /// <param name="isBottleneck">Whether the output is four times as wide as the inside.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public TimmResNetBlock(int inputs, int width, int stride, bool isBottleneck, double dropPath)
        : base(nameof(TimmResNetBlock))
    {
        _dropPath = dropPath;
        var outputs = isBottleneck ? 4 * width : width;
        if (isBottleneck)
        {
            AddUnit(inputs, width, 1, 1, isActivated: true);
            AddUnit(width, width, 3, stride, isActivated: true);
            AddUnit(width, outputs, 1, 1, isActivated: false);
        }
        else
        {
            AddUnit(inputs, width, 3, stride, isActivated: true);
            AddUnit(width, width, 3, 1, isActivated: false);
        }

        _shortcut = inputs != outputs || stride != 1
            ? MakeUnit("downsample.0", "downsample.1", inputs, outputs, 1, stride, isActivated: false)
            : null;
    }

    /// <summary>The batch norm before the shortcut, which starts at zero so that a new block passes its input on.</summary>
    public BatchNormalization LastNorm => _units[^1].Norm;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var unit in _units)
        {
            x = unit.Forward(x);
        }

        var shortcut = _shortcut?.Forward(input) ?? input;
        return StochasticDepth.Apply(x, _dropPath, training).Plus_(shortcut).relu_().MoveToOuterDisposeScope();
    }

    private void AddUnit(int inputs, int outputs, int kernel, int stride, bool isActivated)
    {
        var number = _units.Count + 1;
        _units.Add(MakeUnit($"conv{number}", $"bn{number}", inputs, outputs, kernel, stride, isActivated));
    }

    private ConvolutionUnit MakeUnit(string convolution, string norm, int inputs, int outputs, int kernel, int stride, bool isActivated) => new(
        Add(convolution, new Convolution(inputs, outputs, new ConvolutionOptions(kernel)
        {
            Stride = (stride, stride),
            Padding = (kernel / 2, kernel / 2),
            HasBias = false,
        })),
        Add(norm, new BatchNormalization(outputs)),
        isActivated ? Activation.Named("relu") : null);
}
