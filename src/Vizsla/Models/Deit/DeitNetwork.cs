using Vizsla.Models.Layers;
using Vizsla.Models.Vit;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Models.Deit;

// Shapes: B batch, C channels, N tokens (class, distillation, patches), D width, L labels.

/// <summary>The data-efficient image transformer: a ViT with a distillation token, and with a second head on it where a teacher trained it.</summary>
/// <remarks>
/// The options are a ViT's, and so are the blocks.
/// Source: transformers <c>DeiTForImageClassification</c>, <c>DeiTForImageClassificationWithTeacher</c>. Parity: 1e-5.
/// </remarks>
internal sealed class DeitNetwork : TransformersNetwork
{
    private const int LeadingTokens = 2;

    private readonly VitOptions _options;
    private readonly bool _hasTeacher;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot _positions;
    private readonly ParameterSlot _distillationToken;
    private readonly Convolution _patches;
    private readonly List<VitLayer> _layers = [];
    private readonly LayerNormalization _last;
    private readonly Dense _classifier;
    private readonly Dense? _distillationClassifier;

    public DeitNetwork(ModelConfiguration configuration)
        : base(configuration, IsWithTeacher(configuration) ? DeitNames.TeacherClassName : DeitNames.ClassName, DeitNames.BasePrefix)
    {
        _options = VitOptions.From(configuration);
        _hasTeacher = IsWithTeacher(configuration);
        _classToken = AddParameter(DeitNames.ClassToken, 1, 1, _options.Width);
        _distillationToken = AddParameter(DeitNames.DistillationToken, 1, 1, _options.Width);
        _positions = AddParameter(DeitNames.Positions, 1, _options.PatchCount + LeadingTokens, _options.Width);
        _patches = Add(DeitNames.Patches, new Convolution(
            _options.Channels, _options.Width, new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _layers.Add(Add(DeitNames.Layer(i), new VitLayer(_options)));
        }

        _last = Add(DeitNames.LastNorm, new LayerNormalization(_options.Width, _options.Epsilon));
        _classifier = Add(
            _hasTeacher ? DeitNames.ClassTokenClassifier : DeitNames.Classifier, new Dense(_options.Width, configuration.LabelCount));
        _distillationClassifier = _hasTeacher
            ? Add(DeitNames.DistillationClassifier, new Dense(_options.Width, configuration.LabelCount))
            : null;
    }

    internal override bool CanDropPatches => true;

    public override IReadOnlyList<string> HeadParameterNames => _hasTeacher ? DeitNames.TeacherHead : DeitNames.Head;

    protected override IReadOnlyList<Dense> HeadLayers => _distillationClassifier is { } second ? [_classifier, second] : [_classifier];

    internal override bool AttendsGlobally => true;

    /// <summary>The class token, float [B, D]; with a teacher the class and distillation tokens one after the other, float [B, 2 D].</summary>
    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, _hasTeacher ? [0.5, 0.5] : [1, 0]);
        trace?.AddHiddenState(x);
        foreach (var layer in _layers)
        {
            var next = layer.Forward(x, trace);                                                 // [B, N, D]
            x.Dispose();
            x = next;
            trace?.AddHiddenState(x);
        }

        return _last.forward(x).narrow(1, 0, _hasTeacher ? LeadingTokens : 1).flatten(1)
            .MoveToOuterDisposeScope();                                                         // [B, D] or [B, 2 D]
    }

    public override Tensor Head(Tensor features)
    {
        if (_distillationClassifier is not { } second)
        {
            return _classifier.forward(features);                                               // [B, L]
        }

        using var scope = NewDisposeScope();
        var halves = features.chunk(LeadingTokens, 1);
        return _classifier.forward(halves[0]).Plus(second.forward(halves[1])).Over(2).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer)
    {
        DrawTruncatedNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            Drawing.Fill(_classToken.Value, 0);
            Drawing.Fill(_positions.Value, 0);
            Drawing.Fill(_distillationToken.Value, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var count = pixels.shape[0];
        var patches = _patches.forward(pixels).flatten(2).transpose(1, 2);                      // [B, N - 2, D]
        var tokens = cat([_classToken.Value, _distillationToken.Value], 1).expand(count, -1, -1); // [B, 2, D]
        var positions = PositionEmbeddings.For(
            _positions.Value, LeadingTokens, (pixels.shape[2], pixels.shape[3]), _options.ImageSize, _options.PatchSize, InterpolatesPositions);
        var x = cat([tokens, patches], 1).Plus(positions);                                          // [B, N, D]
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, LeadingTokens, PatchDropRate, training).MoveToOuterDisposeScope();
    }

    private static bool IsWithTeacher(ModelConfiguration configuration) =>
        configuration.Architectures is [DeitNames.TeacherClassName, ..];
}
