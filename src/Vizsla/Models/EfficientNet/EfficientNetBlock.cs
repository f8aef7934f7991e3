using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.EfficientNet;

// Shapes: B batch, C channels, H height, W width.

/// <summary>What one block of an EfficientNet is made of.</summary>
/// <param name="Inputs">Channels of its input.</param>
/// <param name="Outputs">Channels of its output.</param>
/// <param name="Kernel">Side of its kernel.</param>
/// <param name="Stride">Step of its kernel.</param>
/// <param name="ExpandRatio">How much wider it is inside; 1 leaves the widening out.</param>
/// <param name="IsFirst">Whether it begins a stage, and so has no shortcut.</param>
/// <param name="PadsBehind">Whether a strided kernel is padded more behind than before.</param>
/// <param name="DropRate">Share of the values set to zero before the shortcut, in training.</param>
internal sealed record EfficientNetBlockShape(
    int Inputs, int Outputs, int Kernel, int Stride, int ExpandRatio, bool IsFirst, bool PadsBehind, double DropRate);

/// <summary>One block of an EfficientNet: widen, filter each channel, weigh channels, narrow, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>EfficientNetBlock</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class EfficientNetBlock : Layer
{
    private readonly ConvolutionUnit? _expansion;
    private readonly ConvolutionUnit _depthwise;
    private readonly SqueezeExcitation _squeeze;
    private readonly ConvolutionUnit _projection;
    private readonly bool _hasShortcut;
    private readonly double _dropRate;

    public EfficientNetBlock(EfficientNetOptions options, EfficientNetBlockShape shape)
        : base(nameof(EfficientNetBlock))
    {
        _hasShortcut = shape.Stride == 1 && !shape.IsFirst;
        _dropRate = shape.DropRate;
        var activation = Activation.Named(options.Activation);
        var width = shape.Inputs * shape.ExpandRatio;
        if (shape.ExpandRatio != 1)
        {
            _expansion = new ConvolutionUnit(
                Add("expansion.expand_conv", new Convolution(shape.Inputs, width, new ConvolutionOptions(1) { HasBias = false })),
                Add("expansion.expand_bn", new BatchNormalization(width, options.Epsilon)),
                activation);
        }

        _depthwise = new ConvolutionUnit(
            Add("depthwise_conv.depthwise_conv", new Convolution(width, width, Depthwise(shape, width))),
            Add("depthwise_conv.depthwise_norm", new BatchNormalization(width, options.Epsilon, options.Momentum)),
            activation);
        var reduced = Math.Max(1, (int)(shape.Inputs * options.SqueezeRatio));
        _squeeze = Add("squeeze_excite", new SqueezeExcitation(width, reduced, activation, ("reduce", "expand")));
        _projection = new ConvolutionUnit(
            Add("projection.project_conv", new Convolution(width, shape.Outputs, new ConvolutionOptions(1) { HasBias = false })),
            Add("projection.project_bn", new BatchNormalization(shape.Outputs, options.Epsilon, options.Momentum)),
            activation: null);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _expansion?.Forward(input) ?? input;
        x = _projection.Forward(_squeeze.forward(_depthwise.Forward(x)));
        return (_hasShortcut ? Dropout.Apply(x, _dropRate, training).Plus_(input) : x).MoveToOuterDisposeScope();
    }

    private static ConvolutionOptions Depthwise(EfficientNetBlockShape shape, int width)
    {
        var half = shape.Kernel / 2;
        var before = shape.PadsBehind && shape.Stride == 2 ? half - 1 : half;
        return new ConvolutionOptions(shape.Kernel)
        {
            Stride = (shape.Stride, shape.Stride),
            Edges = (before, half, before, half),
            Groups = width,
            HasBias = false,
        };
    }
}
