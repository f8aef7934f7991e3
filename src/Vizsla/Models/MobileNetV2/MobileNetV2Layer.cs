using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.MobileNetV2;

// Shapes: B batch, C channels, H height, W width.

/// <summary>A row of convolution units of a MobileNetV2 under one name: the stem, an inverted residual block, or the last one.</summary>
/// <remarks>
/// Source: transformers <c>MobileNetV2Stem</c>, <c>MobileNetV2InvertedResidual</c>, <c>MobileNetV2ConvLayer</c>; the names are those of its file. Parity: 1e-5.
/// </remarks>
internal sealed class MobileNetV2Layer : Layer
{
    // transformers hands TensorFlow's decay to torch, where momentum means the share of the newest batch.
    private const double Momentum = 0.997;

    private readonly MobileNetV2Options _options;
    private readonly List<ConvolutionUnit> _units = [];
    private readonly bool _hasShortcut;

    private MobileNetV2Layer(MobileNetV2Options options, bool hasShortcut)
        : base(nameof(MobileNetV2Layer))
    {
        _options = options;
        _hasShortcut = hasShortcut;
    }

    /// <summary>The first convolutions, to half the size.</summary>
    public static MobileNetV2Layer Stem(MobileNetV2Options options, int expanded, int outputs)
    {
        var layer = new MobileNetV2Layer(options, hasShortcut: false);
        layer.AddUnit("first_conv", options.Channels, expanded, 3, stride: 2);
        if (!options.FirstLayerExpands)
        {
            layer.AddUnit("expand_1x1", expanded, expanded, 1);
        }

        layer.AddUnit("conv_3x3", expanded, expanded, 3, groups: expanded);
        layer.AddUnit("reduce_1x1", expanded, outputs, 1, isActivated: false);
        return layer;
    }

    /// <summary>A block that widens, filters each channel, and narrows, beside a shortcut where the shapes allow one.</summary>
    public static MobileNetV2Layer Block(MobileNetV2Options options, int inputs, int outputs, int stride, int dilation)
    {
        var expanded = options.Expanded(inputs);
        var layer = new MobileNetV2Layer(options, stride == 1 && inputs == outputs);
        layer.AddUnit("expand_1x1", inputs, expanded, 1);
        layer.AddUnit("conv_3x3", expanded, expanded, 3, stride, expanded, dilation);
        layer.AddUnit("reduce_1x1", expanded, outputs, 1, isActivated: false);
        return layer;
    }

    /// <summary>The last convolution; its two parts have no name of their own below the layer.</summary>
    public static MobileNetV2Layer Last(MobileNetV2Options options, int inputs, int outputs)
    {
        var layer = new MobileNetV2Layer(options, hasShortcut: false);
        layer.AddUnit("", inputs, outputs, 1);
        return layer;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var unit in _units)
        {
            x = unit.Forward(x);
        }

        return (_hasShortcut ? x.Plus_(input) : x).MoveToOuterDisposeScope();
    }

    private void AddUnit(
        string path, int inputs, int outputs, int kernel, int stride = 1, int groups = 1, int dilation = 1, bool isActivated = true)
    {
        var prefix = path.Length == 0 ? "" : path + ".";
        var padding = (kernel - 1) / 2 * dilation;
        _units.Add(new ConvolutionUnit(
            Add(prefix + "convolution", new Convolution(inputs, outputs, new ConvolutionOptions(kernel)
            {
                Stride = (stride, stride),
                Padding = (padding, padding),
                IsSamePadded = _options.IsSamePadded,
                Dilation = dilation,
                Groups = groups,
                HasBias = false,
            })),
            Add(prefix + "normalization", new BatchNormalization(outputs, _options.Epsilon, Momentum)),
            isActivated ? Activation.Named(_options.Activation) : null));
    }
}
