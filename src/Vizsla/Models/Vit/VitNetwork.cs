using Vizsla.Models.Layers;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Vit;

// Shapes: B batch, C channels, N tokens (the class token and the patches), D width, L labels.

/// <summary>The Vision Transformer with a linear head on its class token.</summary>
/// <remarks>
/// Source: transformers <c>ViTForImageClassification</c>. Parity: logits, hidden states and gradients 1e-5; drawn weights equal to those of 4.57 for the same seed.
/// </remarks>
internal sealed class VitNetwork : TransformersNetwork
{
    private readonly VitOptions _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<VitLayer> _layers = [];
    private readonly LayerNormalization _last;
    private readonly Dense _classifier;

    public VitNetwork(ModelConfiguration configuration)
        : base(configuration, VitNames.ClassName, VitNames.BasePrefix)
    {
        _options = VitOptions.From(configuration);
        _classToken = AddParameter(VitNames.ClassToken, 1, 1, _options.Width);
        _positions = AddParameter(VitNames.Positions, 1, _options.PatchCount + 1, _options.Width);
        _patches = Add(VitNames.Patches, new Convolution(
            _options.Channels, _options.Width, new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _layers.Add(Add(VitNames.Layer(i), new VitLayer(_options)));
        }

        _last = Add(VitNames.LastNorm, new LayerNormalization(_options.Width, _options.Epsilon));
        _classifier = Add(VitNames.Classifier, new Dense(_options.Width, configuration.LabelCount));
    }

    internal override bool CanDropPatches => true;

    public override IReadOnlyList<string> HeadParameterNames => VitNames.Head;

    internal override bool AttendsGlobally => true;

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, 1);
        trace?.AddHiddenState(x);
        foreach (var layer in _layers)
        {
            var next = layer.Forward(x, trace);                                                 // [B, N, D]
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        return _last.forward(x).select(1, 0).MoveToOuterDisposeScope();                         // [B, D]
    }

    public override Tensor Head(Tensor features) => _classifier.forward(features);

    protected override IReadOnlyList<Dense> HeadLayers => [_classifier];

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
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var patches = _patches.forward(pixels).flatten(2).transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var positions = PositionEmbeddings.For(
            _positions.Value, 1, (pixels.shape[2], pixels.shape[3]), _options.ImageSize, _options.PatchSize, InterpolatesPositions);
        var x = cat([token, patches], 1).Plus(positions);                                           // [B, N, D]
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, 1, PatchDropRate, training).MoveToOuterDisposeScope();
    }
}
