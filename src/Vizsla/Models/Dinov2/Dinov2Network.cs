using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Dinov2;

// Shapes: B batch, C channels, N tokens (the class token and the patches), D width, L labels.

/// <summary>DINOv2 with a linear head on its class token and the mean of its patches.</summary>
/// <remarks>Position embeddings are always stretched to the picture. Source: transformers <c>Dinov2ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class Dinov2Network : TransformersNetwork
{
    private readonly Dinov2Options _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot? _maskToken;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<Dinov2Layer> _layers = [];
    private readonly LayerNormalization _last;
    private readonly Dense _classifier;

    public Dinov2Network(ModelConfiguration configuration)
        : base(configuration, Dinov2Names.ClassName, Dinov2Names.BasePrefix)
    {
        _options = Dinov2Options.From(configuration);
        _classToken = AddParameter(Dinov2Names.ClassToken, 1, 1, _options.Width);
        _maskToken = _options.HasMaskToken ? AddParameter(Dinov2Names.MaskToken, 1, _options.Width) : null;
        _positions = AddParameter(Dinov2Names.Positions, 1, _options.PatchCount + 1, _options.Width);
        _patches = Add(Dinov2Names.Patches, new Convolution(
            _options.Channels, _options.Width, new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _layers.Add(Add(Dinov2Names.Layer(i), new Dinov2Layer(_options)));
        }

        _last = Add(Dinov2Names.LastNorm, new LayerNormalization(_options.Width, _options.Epsilon));
        _classifier = Add(Dinov2Names.Classifier, new Dense(2 * _options.Width, configuration.LabelCount));
    }

    internal override bool CanDropPatches => true;

    public override IReadOnlyList<string> HeadParameterNames => Dinov2Names.Head;

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width);

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

    internal override bool AttendsGlobally => true;

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, 0.5);
        trace?.AddHiddenState(x);
        foreach (var layer in _layers)
        {
            var next = layer.Forward(x, trace);                                                 // [B, N, D]
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        var tokens = _last.forward(x);                                                          // [B, N, D]
        var patches = tokens.narrow(1, 1, tokens.shape[1] - 1);                                 // [B, N - 1, D]
        return cat([tokens.select(1, 0), patches.mean([1])], 1).MoveToOuterDisposeScope();      // [B, 2 D]
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    protected override void DrawConstructors(IReadOnlyList<Layer> backbone)
    {
        _classToken.Value.normal_();
        _patches.ResetParameters();
        _positions.Value.normal_();
        base.DrawConstructors([.. backbone.Where(l => l != _patches)]);
    }

    protected override void DrawTokens()
    {
        using var token = randn(1, 1, _options.Width);
        using var positions = randn(1, _options.PatchCount + 1, _options.Width);
    }

    protected override void InitializeLayer(Layer layer)
    {
        DrawTruncatedNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            Drawing.TruncatedNormal(_positions.Value, _options.InitializerRange);
            Drawing.TruncatedNormal(_classToken.Value, _options.InitializerRange);
            Drawing.Fill(_maskToken?.Value, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var patches = _patches.forward(pixels).flatten(2).transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var positions = PositionEmbeddings.Stretched(
            _positions.Value, 1, (pixels.shape[2], pixels.shape[3]), _options.PatchSize);       // [1, N, D]
        var x = cat([token, patches], 1).Plus(positions);                                           // [B, N, D]
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, 1, PatchDropRate, training).MoveToOuterDisposeScope();
    }
}
