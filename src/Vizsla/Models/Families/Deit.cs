using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, N tokens (class, distillation, patches), D width, L labels.

/// <summary>The data-efficient image transformer: a ViT with a distillation token, and with a second head on it where a teacher trained it.</summary>
/// <remarks>
/// Options and blocks are a ViT's.
/// Source: transformers <c>DeiTForImageClassification</c>, <c>DeiTForImageClassificationWithTeacher</c>. Parity: 1e-5.
/// </remarks>
internal sealed class DeitNetwork : TransformersNetwork
{
    public const string ModelType = "deit";
    public const string Name = "DeiTForImageClassification";
    public const string TeacherName = "DeiTForImageClassificationWithTeacher";

    private const int LeadingTokens = 2;

    private readonly TransformerOptions _options;
    private readonly bool _hasTeacher;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot _positions;
    private readonly ParameterSlot _distillationToken;
    private readonly Convolution _patches;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    public DeitNetwork(ModelConfiguration configuration)
        : base(configuration, IsWithTeacher(configuration) ? TeacherName : Name, "deit.")
    {
        _options = new TransformerOptions(configuration);
        _hasTeacher = IsWithTeacher(configuration);
        _classToken = AddParameter("deit.embeddings.cls_token", 1, 1, _options.Width);
        _distillationToken = AddParameter("deit.embeddings.distillation_token", 1, 1, _options.Width);
        _positions = AddParameter("deit.embeddings.position_embeddings", 1, _options.PatchCount + LeadingTokens, _options.Width);
        _patches = Add("deit.embeddings.patch_embeddings.projection", _options.PatchProjection());
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _blocks.Add(Add($"deit.encoder.layer.{i}", new TransformerBlock(_options, VitNetwork.BlockNames)));
        }

        _last = Add("deit.layernorm", new LayerNormalization(_options.Width, _options.Epsilon));
        AddHead(_hasTeacher ? "cls_classifier" : "classifier", _options.Width);
        if (_hasTeacher)
        {
            AddHead("distillation_classifier", _options.Width);
        }
    }

    internal override bool CanDropPatches => true;

    internal override bool AttendsGlobally => true;

    /// <summary>The class token, float [B, D]; with a teacher the class and distillation tokens one after the other, float [B, 2 D].</summary>
    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, _hasTeacher ? [0.5, 0.5] : [1, 0]);
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens, trace), trace);        // [B, N, D]
        return _last.Forward(x).Narrow(1, 0, _hasTeacher ? LeadingTokens : 1).Flatten(1)
            .MoveToOuterDisposeScope();                                                         // [B, D] or [B, 2 D]
    }

    public override Tensor Head(Tensor features)
    {
        if (HeadLayers is not [var first, var second])
        {
            return base.Head(features);                                                         // [B, L]
        }

        using var scope = NewDisposeScope();
        var halves = features.Chunk(LeadingTokens, 1);                                          // 2 x [B, D]
        return first.Forward(halves[0]).Plus(second.Forward(halves[1])).Over(2).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer)
    {
        InitializeTruncatedNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            WeightInitialization.Fill(_classToken.Value, 0);
            WeightInitialization.Fill(_positions.Value, 0);
            WeightInitialization.Fill(_distillationToken.Value, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                      // [B, N - 2, D]
        var tokens = TensorShapes.Concat([_classToken.Value, _distillationToken.Value], 1)
            .Expand(pixels.shape[0], -1, -1);                                                   // [B, 2, D]
        var positions = PositionEmbeddings.For(
            _positions.Value, LeadingTokens, (pixels.shape[2], pixels.shape[3]), _options.ImageSize, _options.PatchSize, InterpolatesPositions);
        var x = TensorShapes.Concat([tokens, patches], 1).Plus(positions);                      // [B, N, D]
        x = Dropout.Apply(x, _options.HiddenDropout, training);
        return PatchDropout.Apply(x, LeadingTokens, PatchDropRate, training, PatchNoise).MoveToOuterDisposeScope();
    }

    private static bool IsWithTeacher(ModelConfiguration configuration) => configuration.Architectures is [TeacherName, ..];
}
