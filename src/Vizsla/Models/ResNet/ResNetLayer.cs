using System.Globalization;
using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.ResNet;

// Shapes: B batch, C channels, H height, W width.

/// <summary>One block of a ResNet: two wide convolutions, or a narrow one between two of single places, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>ResNetBasicLayer</c>, <c>ResNetBottleNeckLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class ResNetLayer : Layer
{
    private const int Reduction = 4;

    private readonly List<ConvolutionUnit> _units = [];
    private readonly ConvolutionUnit? _shortcut;
    private readonly Func<Tensor, Tensor> _activation;

    public ResNetLayer(ResNetOptions options, int inputs, int outputs, int stride)
        : base(nameof(ResNetLayer))
    {
        _activation = Activation.Named(options.Activation);
        if (inputs != outputs || stride != 1)
        {
            _shortcut = AddUnit("shortcut", inputs, outputs, 1, stride, activation: null);
        }

        // Inside a block the reference leaves the activation at its default, whatever the configuration says.
        var inner = Activation.Named("relu");
        if (options.IsBottleneck)
        {
            var narrow = outputs / Reduction;
            var (first, second) = options.ShrinksInBottleneck ? (stride, 1) : (1, stride);
            AddUnit(inputs, narrow, 1, first, inner);
            AddUnit(narrow, narrow, 3, second, inner);
            AddUnit(narrow, outputs, 1, 1, activation: null);
        }
        else
        {
            AddUnit(inputs, outputs, 3, stride, inner);
            AddUnit(outputs, outputs, 3, 1, activation: null);
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var unit in _units)
        {
            x = unit.Forward(x);
        }

        var shortcut = _shortcut?.Forward(input) ?? input;
        return Activation.Overwrite(_activation, x.Plus_(shortcut)).MoveToOuterDisposeScope();
    }

    private void AddUnit(int inputs, int outputs, int kernel, int stride, Func<Tensor, Tensor>? activation) =>
        _units.Add(AddUnit(string.Create(CultureInfo.InvariantCulture, $"layer.{_units.Count}"), inputs, outputs, kernel, stride, activation));

    private ConvolutionUnit AddUnit(string path, int inputs, int outputs, int kernel, int stride, Func<Tensor, Tensor>? activation) => new(
        Add(path + ".convolution", new Convolution(inputs, outputs, new ConvolutionOptions(kernel)
        {
            Stride = (stride, stride),
            Padding = (kernel / 2, kernel / 2),
            HasBias = false,
        })),
        Add(path + ".normalization", new BatchNormalization(outputs)),
        activation);
}
