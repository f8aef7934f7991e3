using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, N tokens (the class token, in CLIP, and the patches), D width, L labels.

/// <summary>The picture towers of CLIP and SigLIP with a linear head on the mean of their patches; the text tower of a checkpoint is not read.</summary>
/// <remarks>Source: transformers <c>CLIPForImageClassification</c>, <c>SiglipForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class ClipNetwork : TransformersNetwork
{
    public const string ModelType = "clip";
    public const string Name = "CLIPForImageClassification";
    public const string SiglipType = "siglip";
    public const string SiglipName = "SiglipForImageClassification";

    private const string Prefix = "vision_model.";

    // The parts of a block under the names of the file, in its order.
    private static readonly (BlockPart, string)[] _names =
    [
        (BlockPart.Key, "self_attn.k_proj"),
        (BlockPart.Value, "self_attn.v_proj"),
        (BlockPart.Query, "self_attn.q_proj"),
        (BlockPart.Output, "self_attn.out_proj"),
        (BlockPart.FirstNorm, "layer_norm1"),
        (BlockPart.Widen, "mlp.fc1"),
        (BlockPart.Narrow, "mlp.fc2"),
        (BlockPart.SecondNorm, "layer_norm2"),
    ];

    private readonly ClipOptions _options;
    private readonly ParameterSlot? _classToken;
    private readonly Convolution _patches;
    private readonly ParameterSlot _positions;
    private readonly LayerNormalization? _first;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    public ClipNetwork(ModelConfiguration configuration)
        : this(configuration, Name, new ClipOptions(configuration, isSiglip: false))
    {
    }

    private ClipNetwork(ModelConfiguration configuration, string className, ClipOptions options)
        : base(configuration, className, Prefix)
    {
        _options = options;
        _classToken = options.IsSiglip ? null : AddParameter(Prefix + "embeddings.class_embedding", options.Width);
        _patches = Add(Prefix + "embeddings.patch_embedding", new Convolution(
            options.Channels, options.Width, new ConvolutionOptions(options.PatchSize) { Stride = options.PatchSize, HasBias = options.IsSiglip }));
        _positions = AddParameter(Prefix + "embeddings.position_embedding.weight", options.PatchCount + options.LeadingTokens, options.Width);
        _first = options.IsSiglip ? null : Add(Prefix + "pre_layrnorm", new LayerNormalization(options.Width, options.Epsilon));
        for (var i = 0; i < options.LayerCount; i++)
        {
            _blocks.Add(Add($"{Prefix}encoder.layers.{i}", new TransformerBlock(options, _names)));
        }

        _last = Add(Prefix + "post_layernorm", new LayerNormalization(options.Width, options.Epsilon));
        if (options.HasPoolingHead)
        {
            Add(Prefix + "head", new SiglipPoolingHead(options));
        }

        AddHead("classifier", options.Width);
    }

    internal override bool CanDropPatches => true;

    internal override bool AttendsGlobally => true;

    /// <summary>SigLIP, which has no class token.</summary>
    public static ClipNetwork Siglip(ModelConfiguration configuration) => new(configuration, SiglipName, new ClipOptions(configuration, isSiglip: true));

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, _options.IsSiglip ? [] : [0]);
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens, trace), trace);        // [B, N, D]

        // CLIP's last norm is for its class token alone, which the head does not read.
        x = _options.IsSiglip ? _last.Forward(x) : x.Narrow(1, 1, x.shape[1] - 1);              // [B, N - 1, D]
        return x.Mean([1]).MoveToOuterDisposeScope();                                           // [B, D]
    }

    protected override void SkipConstructed()
    {
        if (!_options.IsSiglip)
        {
            WeightInitialization.Skip([_options.Width]);
        }
        else if (_options.HasPoolingHead)
        {
            WeightInitialization.Skip([1, 1, _options.Width]);
        }
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer == _patches)
        {
            InitializeEmbeddings();
        }
        else if (layer is Dense head && HeadLayers.Contains(head))
        {
            InitializeNormal(layer, _options.Factor / Math.Sqrt(_options.Width));
        }
        else if (layer is Dense dense && _options.IsSiglip)
        {
            WeightInitialization.XavierUniform(dense.Weight);
            WeightInitialization.Fill(dense.Bias, 0);
        }
        else if (layer is Dense projection)
        {
            InitializeNormal(projection, DeviationOf(projection));
        }
    }

    private void InitializeEmbeddings()
    {
        if (_options.IsSiglip)
        {
            WeightInitialization.TruncatedNormal(_patches.Weight, 1 / Math.Sqrt(_patches.Weight.shape[1] * _patches.Weight.shape[2] * _patches.Weight.shape[3]));
            WeightInitialization.Fill(_patches.Bias, 0);
            WeightInitialization.Normal(_positions.Value, 1 / Math.Sqrt(_options.Width));
        }
        else
        {
            WeightInitialization.Normal(_classToken!.Value.Value, _options.Factor / Math.Sqrt(_options.Width));
            WeightInitialization.Normal(_patches.Weight, _options.InitializerRange * _options.Factor);
            WeightInitialization.Normal(_positions.Value, _options.InitializerRange * _options.Factor);
        }
    }

    /// <summary>What adds to the sum of all blocks starts smaller the more of them there are.</summary>
    private double DeviationOf(Dense layer) => _options.Factor / Math.Sqrt(_options.Width) * _blocks.Select(b => b.PartOf(layer)).FirstOrDefault(p => p is not null) switch
    {
        BlockPart.Output => 1,
        BlockPart.Widen => Math.Sqrt(0.5),
        _ => 1 / Math.Sqrt(2 * _options.LayerCount),
    };

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                            // [B, N, D]
        if (_classToken is { } token)
        {
            x = TensorShapes.Concat([token.Value.Reshape(1, 1, -1).Expand(pixels.shape[0], -1, -1), x], 1);
        }

        var positions = PositionEmbeddings.For(
            _positions.Value.Unsqueeze(0), _options.LeadingTokens, (pixels.shape[2], pixels.shape[3]), _options.ImageSize, _options.PatchSize, InterpolatesPositions);
        x = x.Plus(positions);                                                                  // [B, N, D]
        x = _first?.Forward(x) ?? x;
        return PatchDropout.Apply(x, _options.LeadingTokens, PatchDropRate, training, PatchNoise).MoveToOuterDisposeScope();
    }
}

/// <summary>The pooling that SigLIP compares pictures with texts by: read, kept and saved, but no part of the classifier.</summary>
/// <remarks>Source: transformers <c>SiglipMultiheadAttentionPoolingHead</c>.</remarks>
internal sealed class SiglipPoolingHead : Layer
{
    private readonly ParameterSlot _probe;
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;

    public SiglipPoolingHead(ClipOptions options)
        : base(nameof(SiglipPoolingHead))
    {
        _probe = AddParameter("probe", 1, 1, options.Width);
        _weight = AddParameter("attention.in_proj_weight", 3 * options.Width, options.Width);
        _bias = AddParameter("attention.in_proj_bias", 3 * options.Width);
        Add("attention.out_proj", new Dense(options.Width, options.Width));
        Add("layernorm", new LayerNormalization(options.Width, options.Epsilon));
        Add("mlp.fc1", new Dense(options.Width, options.HiddenWidth));
        Add("mlp.fc2", new Dense(options.HiddenWidth, options.Width));
    }

    public override void ResetParameters()
    {
        WeightInitialization.XavierUniform(_weight.Value);
        WeightInitialization.Fill(_bias.Value, 0);
        WeightInitialization.Normal(_probe.Value, 1);
    }
}

/// <summary>The keys of the <c>vision_config</c> of CLIP and SigLIP.</summary>
/// <remarks>Source: transformers <c>CLIPVisionConfig</c>, <c>SiglipVisionConfig</c>; the defaults are their own.</remarks>
internal sealed record ClipOptions : TransformerOptions
{
    public ClipOptions(ModelConfiguration configuration, bool isSiglip)
        : this(configuration, configuration.Section("vision_config"), isSiglip)
    {
    }

    private ClipOptions(ModelConfiguration whole, ModelConfiguration vision, bool isSiglip)
        : base(vision, epsilon: isSiglip ? 1e-6 : 1e-5, patchSize: isSiglip ? 16 : 32)
    {
        IsSiglip = isSiglip;
        Activation = vision.Text("hidden_act", isSiglip ? "gelu_pytorch_tanh" : "quick_gelu");
        AttentionDropout = vision.Number("attention_dropout", 0);
        HiddenDropout = 0;
        HasQueryBias = HasKeyBias = HasValueBias = true;
        HasPoolingHead = isSiglip && vision.Flag("vision_use_head", true);
        Factor = whole.Number("initializer_factor", 1);
    }

    public bool IsSiglip { get; }

    public bool HasPoolingHead { get; }

    public double Factor { get; }

    /// <summary>Tokens before the patches.</summary>
    public int LeadingTokens => IsSiglip ? 0 : 1;
}
