using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, N tokens (the class token and the patches), D width, H heads, L labels.

/// <summary>BEiT, and Data2Vec's vision model, which is one: a linear head on the normalized mean of its patches, or on its class token.</summary>
/// <remarks>Source: transformers <c>BeitForImageClassification</c>, <c>Data2VecVisionForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class BeitNetwork : TransformersNetwork
{
    public const string ModelType = "beit";
    public const string Name = "BeitForImageClassification";
    public const string Data2VecType = "data2vec-vision";
    public const string Data2VecName = "Data2VecVisionForImageClassification";

    // Part of the names of index buffers that old files hold; they follow from the configuration.
    private const string DerivedIndex = "relative_position_index";

    // The parts of a block under the names of the file, in its order.
    private static readonly (BlockPart, string)[] _names =
    [
        (BlockPart.FirstScale, "lambda_1"),
        (BlockPart.SecondScale, "lambda_2"),
        (BlockPart.Query, "attention.attention.query"),
        (BlockPart.Key, "attention.attention.key"),
        (BlockPart.Value, "attention.attention.value"),
        (BlockPart.RelativeBias, "attention.attention.relative_position_bias"),
        (BlockPart.Output, "attention.output.dense"),
        (BlockPart.Widen, "intermediate.dense"),
        (BlockPart.Narrow, "output.dense"),
        (BlockPart.FirstNorm, "layernorm_before"),
        (BlockPart.SecondNorm, "layernorm_after"),
    ];

    private readonly BeitOptions _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot? _maskToken;
    private readonly ParameterSlot? _positions;
    private readonly Convolution _patches;
    private readonly RelativePositionBias? _sharedBias;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    public BeitNetwork(ModelConfiguration configuration)
        : this(configuration, Name, "beit.")
    {
    }

    private BeitNetwork(ModelConfiguration configuration, string className, string prefix)
        : base(configuration, className, prefix)
    {
        _options = new BeitOptions(configuration);
        _classToken = AddParameter(prefix + "embeddings.cls_token", 1, 1, _options.Width);
        _maskToken = _options.HasMaskToken ? AddParameter(prefix + "embeddings.mask_token", 1, 1, _options.Width) : null;
        _positions = _options.HasPositions ? AddParameter(prefix + "embeddings.position_embeddings", 1, _options.PatchCount + 1, _options.Width) : null;
        _patches = Add(prefix + "embeddings.patch_embeddings.projection", _options.PatchProjection());
        _sharedBias = _options.HasSharedRelativeBias
            ? Add(prefix + "encoder.relative_position_bias", new RelativePositionBias(_options.Grid, _options.HeadCount))
            : null;
        var rates = StochasticDepth.Rising(_options.DropPath, _options.LayerCount);
        for (var i = 0; i < _options.LayerCount; i++)
        {
            var bias = _options.HasRelativeBias ? new RelativePositionBias(_options.Grid, _options.HeadCount) : null;
            _blocks.Add(Add($"{prefix}encoder.layer.{i}", new TransformerBlock(_options, _names, rates[i], bias)));
        }

        _last = Add(prefix + (_options.PoolsMean ? "pooler.layernorm" : "layernorm"), new LayerNormalization(_options.Width, _options.Epsilon));
        AddHead("classifier", _options.Width);
    }

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width);

    internal override bool AttendsGlobally => true;

    /// <summary>The vision model of Data2Vec, whose configuration and weights are a BEiT's under another name.</summary>
    public static BeitNetwork Data2Vec(ModelConfiguration configuration) => new(configuration, Data2VecName, "data2vec_vision.");

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (pixels.shape[2] / _options.PatchSize.Height, pixels.shape[3] / _options.PatchSize.Width);
        var x = Embed(pixels);                                                                  // [B, N, D]
        var shared = _sharedBias?.For(rows, columns);                                           // [1, H, N, N]
        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, _options.PoolsMean ? 0 : 1);
        trace?.AddHiddenState(x);
        x = Through(x, shared, _blocks, (block, tokens, bias) => block.Forward(tokens, trace, (rows, columns), bias), trace);
        var pooled = _options.PoolsMean
            ? _last.Forward(x.Narrow(1, 1, x.shape[1] - 1).Mean([1]))
            : _last.Forward(x).Select(1, 0);                                                    // [B, D]
        return pooled.MoveToOuterDisposeScope();
    }

    internal override string? NameOf(string name) => name.Contains(DerivedIndex, StringComparison.Ordinal) ? null : name;

    protected override void InitializeLayer(Layer layer)
    {
        InitializeNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            WeightInitialization.Fill(_classToken.Value, 0);
            WeightInitialization.Fill(_maskToken?.Value, 0);
            WeightInitialization.Fill(_positions?.Value, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                      // [B, N - 1, D]
        var token = _classToken.Value.Expand(pixels.shape[0], -1, -1);                          // [B, 1, D]
        var x = TensorShapes.Concat([token, patches], 1);                                       // [B, N, D]
        if (_positions is { } positions)
        {
            x = x.Plus(PositionEmbeddings.Stretched(positions.Value, 1, (pixels.shape[2], pixels.shape[3]), _options.PatchSize));
        }

        return Dropout.Apply(x, _options.HiddenDropout, training).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a BEiT's <c>config.json</c> beside those that all transformers share.</summary>
/// <remarks>Source: transformers <c>BeitConfig</c>; the defaults are its own.</remarks>
internal sealed record BeitOptions : TransformerOptions
{
    public BeitOptions(ModelConfiguration configuration)
        : base(configuration)
    {
        HasQueryBias = HasValueBias = true;
        HasKeyBias = false;
        HasMaskToken = configuration.Flag("use_mask_token", false);
        HasPositions = configuration.Flag("use_absolute_position_embeddings", false);
        HasRelativeBias = configuration.Flag("use_relative_position_bias", false);
        HasSharedRelativeBias = configuration.Flag("use_shared_relative_position_bias", false);
        LayerScale = configuration.Number("layer_scale_init_value", 0.1);
        DropPath = configuration.Number("drop_path_rate", 0.1);
        PoolsMean = configuration.Flag("use_mean_pooling", true);
    }

    public bool HasMaskToken { get; }

    public bool HasPositions { get; }

    public bool HasRelativeBias { get; }

    public bool HasSharedRelativeBias { get; }

    public double DropPath { get; }

    public bool PoolsMean { get; }
}
