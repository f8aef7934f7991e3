using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.MobileNetV2;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>MobileNetV2 with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>MobileNetV2ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class MobileNetV2Network : TransformersNetwork
{
    private const int StemWidth = 32;
    private const int LastWidth = 1280;
    private static readonly int[] _widths = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320];
    private static readonly int[] _strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1];

    private readonly MobileNetV2Options _options;
    private readonly MobileNetV2Layer _stem;
    private readonly List<MobileNetV2Layer> _layers = [];
    private readonly MobileNetV2Layer _last;
    private readonly Dense _classifier;

    public MobileNetV2Network(ModelConfiguration configuration)
        : base(configuration, MobileNetV2Names.ClassName, MobileNetV2Names.BasePrefix)
    {
        _options = MobileNetV2Options.From(configuration);
        var widths = _widths.Select(_options.Scaled).ToList();
        _stem = Add(MobileNetV2Names.Stem, MobileNetV2Layer.Stem(_options, _options.Scaled(StemWidth), widths[0]));

        // Once the plane is as small as asked for, strides turn into dilation of the layers behind.
        var (shrunk, dilation) = (2, 1);
        for (var i = 0; i < _strides.Length; i++)
        {
            var isSmallest = shrunk == _options.OutputStride;
            _layers.Add(Add(MobileNetV2Names.Layer(i), MobileNetV2Layer.Block(
                _options, widths[i], widths[i + 1], isSmallest ? 1 : _strides[i], isSmallest ? dilation : 1)));
            (shrunk, dilation) = isSmallest ? (shrunk, dilation * _strides[i]) : (shrunk * _strides[i], dilation);
        }

        var last = _options.HasWideOutput && _options.WidthFactor < 1 ? LastWidth : _options.Scaled(LastWidth);
        _last = Add(MobileNetV2Names.Last, MobileNetV2Layer.Last(_options, widths[^1], last));
        _classifier = Add(MobileNetV2Names.Classifier, new Dense(last, configuration.LabelCount));
    }

    public override IReadOnlyList<string> HeadParameterNames => MobileNetV2Names.Head;

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.forward(Arranged(pixels));                                                          // [B, C, H / 2, W / 2]
        foreach (var layer in _layers)
        {
            var next = layer.forward(x);
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        var plane = _last.forward(x);                                                           // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return GlobalPooling.Mean(plane).MoveToOuterDisposeScope();                             // [B, C]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return _classifier.forward(Dropout.Apply(features, _options.HeadDropout, training)).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer) => DrawNormal(layer, _options.InitializerRange);
}
