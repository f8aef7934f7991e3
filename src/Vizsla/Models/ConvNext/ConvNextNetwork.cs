using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.ConvNext;

// Shapes: B batch, C channels of the picture, D channels, H height, W width, L labels.

/// <summary>ConvNeXt with a linear head on the normalized mean of its last plane.</summary>
/// <remarks>Source: transformers <c>ConvNextForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class ConvNextNetwork : TransformersNetwork
{
    private readonly ConvNextOptions _options;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<Stage> _stages = [];
    private readonly LayerNormalization _last;
    private readonly Dense _classifier;

    public ConvNextNetwork(ModelConfiguration configuration)
        : base(configuration, ConvNextNames.ClassName, ConvNextNames.BasePrefix)
    {
        _options = ConvNextOptions.From(configuration);
        _patches = Add(ConvNextNames.Patches, new Convolution(
            _options.Channels, _options.Widths[0], new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        _first = Add(ConvNextNames.FirstNorm, new LayerNormalization(_options.Widths[0], ConvNextLayer.NormEpsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < _options.Widths.Count; stage++)
        {
            _stages.Add(MakeStage(stage, rates));
        }

        _last = Add(ConvNextNames.LastNorm, new LayerNormalization(_options.Widths[^1], _options.Epsilon));
        _classifier = Add(ConvNextNames.Classifier, new Dense(_options.Widths[^1], configuration.LabelCount));
    }

    public override IReadOnlyList<string> HeadParameterNames => ConvNextNames.Head;

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width) << (_options.Widths.Count - 1);

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Normalize(_first, _patches.forward(Arranged(pixels)));                                    // [B, D, H, W]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            if (stage.Downsampling is { } downsampling)
            {
                x = downsampling.forward(Normalize(stage.Norm!, x));                            // [B, 2 D, H / 2, W / 2]
            }

            foreach (var layer in stage.Layers)
            {
                var next = layer.forward(x);                                                    // [B, D, H, W]
                x.Dispose();
                x = next;
            }

            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return _last.forward(x.mean([-2, -1])).MoveToOuterDisposeScope();                       // [B, D]
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    protected override void InitializeLayer(Layer layer) => DrawNormal(layer, _options.InitializerRange);

    private Stage MakeStage(int stage, Queue<double> rates)
    {
        var (before, width) = (_options.Widths[Math.Max(0, stage - 1)], _options.Widths[stage]);
        var norm = stage > 0 ? Add(ConvNextNames.DownsamplingNorm(stage), new LayerNormalization(before, ConvNextLayer.NormEpsilon)) : null;
        var downsampling = stage > 0
            ? Add(ConvNextNames.Downsampling(stage), new Convolution(before, width, new ConvolutionOptions(2) { Stride = (2, 2) }))
            : null;
        var layers = new List<ConvNextLayer>();
        for (var i = 0; i < _options.Depths[stage]; i++)
        {
            layers.Add(Add(ConvNextNames.Layer(stage, i), new ConvNextLayer(_options, width, rates.Dequeue())));
        }

        return new Stage(norm, downsampling, layers);
    }

    /// <summary>Layer norm over the channels of a plane.</summary>
    private static Tensor Normalize(LayerNormalization norm, Tensor plane)
    {
        using var scope = NewDisposeScope();
        return norm.forward(plane.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    private sealed record Stage(LayerNormalization? Norm, Convolution? Downsampling, List<ConvNextLayer> Layers);
}
