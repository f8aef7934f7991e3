using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.EfficientNet;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>EfficientNet with a linear head on its pooled last plane.</summary>
/// <remarks>Source: transformers <c>EfficientNetForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class EfficientNetNetwork : TransformersNetwork
{
    private const int StemWidth = 32;
    private const int LastWidth = 1280;

    private readonly EfficientNetOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<EfficientNetBlock> _blocks = [];
    private readonly ConvolutionUnit _last;
    private readonly Dense _classifier;

    public EfficientNetNetwork(ModelConfiguration configuration)
        : base(configuration, EfficientNetNames.ClassName, EfficientNetNames.BasePrefix)
    {
        _options = EfficientNetOptions.From(configuration);
        var activation = Activation.Named(_options.Activation);
        var stem = _options.Scaled(StemWidth);
        _stem = new ConvolutionUnit(
            Add(EfficientNetNames.StemConvolution, new Convolution(
                _options.Channels, stem, new ConvolutionOptions(3) { Stride = (2, 2), Edges = (0, 1, 0, 1), HasBias = false })),
            Add(EfficientNetNames.StemNorm, new BatchNormalization(stem, _options.Epsilon, _options.Momentum)),
            activation);
        AddBlocks();
        var last = _options.Scaled(LastWidth);
        if (last != _options.HiddenWidth)
        {
            throw new ModelLoadException($"hidden_dim is {_options.HiddenWidth}, but width_coefficient {_options.WidthFactor} makes the last layer {last} wide; expected the same number.");
        }

        _last = new ConvolutionUnit(
            Add(EfficientNetNames.LastConvolution, new Convolution(
                _options.Scaled(_options.Outputs[^1]), last, new ConvolutionOptions(1) { HasBias = false })),
            Add(EfficientNetNames.LastNorm, new BatchNormalization(last, _options.Epsilon, _options.Momentum)),
            activation);
        _classifier = Add(EfficientNetNames.Classifier, new Dense(last, configuration.LabelCount));
    }

    /// <remarks>Seen on Zen 4: the backward pass of its depthwise convolutions takes longer than bfloat16 saves elsewhere (docs/performance.md).</remarks>
    internal override bool TrainsSlowerInBfloat16 => true;

    public override IReadOnlyList<string> HeadParameterNames => EfficientNetNames.Head;

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                          // [B, C, H / 2, W / 2]
        trace?.AddHiddenState(x);
        foreach (var block in _blocks)
        {
            var next = block.forward(x);
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        var plane = _last.Forward(x);                                                           // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return (_options.PoolsMean ? GlobalPooling.Mean(plane) : GlobalPooling.Max(plane)).MoveToOuterDisposeScope(); // [B, C]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return _classifier.forward(Dropout.Apply(features, _options.HeadDropout, training)).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer)
    {
        DrawNormal(layer, _options.InitializerRange);
        if (layer is BatchNormalization norm)
        {
            Drawing.Normal(norm.Weight, _options.InitializerRange);
        }
    }

    private void AddBlocks()
    {
        var stages = Enumerable.Range(0, _options.Kernels.Count).ToList();
        var total = stages.Sum(_options.Repeated);
        foreach (var stage in stages)
        {
            var (inputs, outputs) = (_options.Scaled(_options.Inputs[stage]), _options.Scaled(_options.Outputs[stage]));
            for (var i = 0; i < _options.Repeated(stage); i++)
            {
                var number = _blocks.Count;
                var shape = new EfficientNetBlockShape(
                    i == 0 ? inputs : outputs,
                    outputs,
                    _options.Kernels[stage],
                    i == 0 ? _options.Strides[stage] : 1,
                    _options.ExpandRatios[stage],
                    IsFirst: i == 0,
                    PadsBehind: !_options.EvenlyPadded.Contains(number),
                    _options.BlockDropout * number / total);
                _blocks.Add(Add(EfficientNetNames.Block(number), new EfficientNetBlock(_options, shape)));
            }
        }
    }
}
