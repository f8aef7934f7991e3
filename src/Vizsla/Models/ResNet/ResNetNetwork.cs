using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.ResNet;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>ResNet with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>ResNetForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class ResNetNetwork : TransformersNetwork
{
    private const int StemKernel = 7;

    private readonly ResNetOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<List<ResNetLayer>> _stages = [];
    private readonly Dense _classifier;

    public ResNetNetwork(ModelConfiguration configuration)
        : base(configuration, ResNetNames.ClassName, ResNetNames.BasePrefix)
    {
        _options = ResNetOptions.From(configuration);
        _stem = new ConvolutionUnit(
            Add(ResNetNames.Stem + ".convolution", new Convolution(_options.Channels, _options.StemWidth, new ConvolutionOptions(StemKernel)
            {
                Stride = (2, 2),
                Padding = (StemKernel / 2, StemKernel / 2),
                HasBias = false,
            })),
            Add(ResNetNames.Stem + ".normalization", new BatchNormalization(_options.StemWidth)),
            Activation.Named(_options.Activation));
        var width = _options.StemWidth;
        for (var stage = 0; stage < _options.Widths.Count; stage++)
        {
            var stride = stage > 0 || _options.ShrinksInFirstStage ? 2 : 1;
            var layers = new List<ResNetLayer>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                layers.Add(Add(ResNetNames.Layer(stage, i), new ResNetLayer(_options, width, _options.Widths[stage], i == 0 ? stride : 1)));
                width = _options.Widths[stage];
            }

            _stages.Add(layers);
        }

        _classifier = Add(ResNetNames.Classifier, new Dense(width, configuration.LabelCount));
    }

    public override IReadOnlyList<string> HeadParameterNames => ResNetNames.Head;

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = nn.functional.max_pool2d(_stem.Forward(Arranged(pixels)), [3, 3], [2, 2], [1, 1]);        // [B, C, H / 4, W / 4]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            foreach (var layer in stage)
            {
                var next = layer.forward(x);
                x.Dispose();
                x = next;
            }

            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return GlobalPooling.Mean(x).MoveToOuterDisposeScope();                                 // [B, C]
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Convolution convolution:
                Drawing.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
            case Dense dense:
                Drawing.ResetLikeTorch(dense.Weight, dense.Bias);
                break;
        }
    }
}
