using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.EfficientNet;

// Shapes: B batch, C channels, H height, W width.

/// <summary>One block of timm's EfficientNet: widen, filter each channel, weigh channels, narrow, beside a shortcut where the shapes allow one.</summary>
/// <remarks>Source: timm <c>DepthwiseSeparableConv</c>, <c>InvertedResidual</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class TimmEfficientNetBlock : Layer
{
    private const double SqueezeRatio = 0.25;

    private readonly ConvolutionUnit? _expansion;
    private readonly ConvolutionUnit _depthwise;
    private readonly SqueezeExcitation? _squeeze;
    private readonly ConvolutionUnit _projection;
    private readonly bool _hasShortcut;
    private readonly double _dropPath;

    /// <param name="shape">Channels, kernel and stride.</param>
    /// <param name="style">What all blocks of a network share.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public TimmEfficientNetBlock(EfficientNetBlockShape shape, EfficientNetStyle style, double dropPath)
        : base(nameof(TimmEfficientNetBlock))
    {
        _dropPath = dropPath;
        _hasShortcut = shape.Stride == 1 && shape.Inputs == shape.Outputs;
        var width = shape.Inputs * shape.Expand;
        var isWidened = shape.Expand != 1;
        _expansion = isWidened ? MakeUnit("conv_pw", "bn1", shape.Inputs, width, style.Convolution(1), style) : null;
        _depthwise = MakeUnit(
            "conv_dw", isWidened ? "bn2" : "bn1", width, width, style.Convolution(shape.Kernel, shape.Stride, width), style);
        _squeeze = style.HasSqueeze
            ? Add("se", new SqueezeExcitation(width, Reduced(shape), style.Activation, ("conv_reduce", "conv_expand")))
            : null;
        _projection = isWidened
            ? MakeUnit("conv_pwl", "bn3", width, shape.Outputs, style.Convolution(1), style, isActivated: false)
            : MakeUnit("conv_pw", "bn2", width, shape.Outputs, style.Convolution(1), style, isActivated: false);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _depthwise.Forward(_expansion?.Forward(input) ?? input);
        x = _projection.Forward(_squeeze?.Forward(x) ?? x);
        return (_hasShortcut ? StochasticDepth.Apply(x, _dropPath, training).Plus_(input) : x).MoveToOuterDisposeScope();
    }

    /// <summary>A quarter of the block's input, rounded to even as Python rounds.</summary>
    private static int Reduced(EfficientNetBlockShape shape) =>
        (int)Math.Round(shape.Inputs * shape.Expand * (SqueezeRatio / shape.Expand), MidpointRounding.ToEven);

    private ConvolutionUnit MakeUnit(
        string convolution, string norm, int inputs, int outputs, ConvolutionOptions options, EfficientNetStyle style, bool isActivated = true) => new(
        Add(convolution, new Convolution(inputs, outputs, options)),
        Add(norm, new BatchNormalization(outputs, style.Epsilon)),
        isActivated ? style.Activation : null);
}
