using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, P leading tokens (the class token and the registers), N tokens (P and the patches), D width, K width of a head, L labels.

/// <summary>DINOv3's Vision Transformer, with DINOv2's head: linear, on its class token and the mean of its patches.</summary>
/// <remarks>
/// transformers has no classifier on it: the head is the one of DINOv3's own evaluation. Weights have the names of the backbone's file, so that <c>AutoModel</c> reads what is saved.
/// Source: transformers <c>DINOv3ViTModel</c>. Parity: 1e-5.
/// </remarks>
internal sealed class Dinov3Network : TransformersNetwork
{
    public const string ModelType = "dinov3_vit";
    public const string Name = "DINOv3ViTForImageClassification";

    private const string Blocks = "model.layer.";
    private const string EarlierBlocks = "layer.";

    private readonly Dinov3Options _options;
    private readonly ParameterSlot _classToken;
    private readonly ParameterSlot _maskToken;
    private readonly ParameterSlot _registers;
    private readonly Convolution _patches;
    private readonly List<TransformerBlock> _blocks = [];
    private readonly LayerNormalization _last;

    // transformers 4 has the blocks at the top; a file that has them so keeps them so.
    private bool _savesEarlierNames;

    public Dinov3Network(ModelConfiguration configuration)
        : base(configuration, Name, "")
    {
        _options = new Dinov3Options(configuration);
        _classToken = AddParameter("embeddings.cls_token", 1, 1, _options.Width);
        _maskToken = AddParameter("embeddings.mask_token", 1, 1, _options.Width);
        _registers = AddParameter("embeddings.register_tokens", 1, _options.RegisterCount, _options.Width);
        _patches = Add("embeddings.patch_embeddings", _options.PatchProjection());
        for (var i = 0; i < _options.LayerCount; i++)
        {
            _blocks.Add(Add(Invariant($"{Blocks}{i}"), new TransformerBlock(_options, BlockNames, _options.DropPath)));
        }

        _last = Add("norm", new LayerNormalization(_options.Width, _options.Epsilon));
        AddHead("classifier", 2 * _options.Width);
    }

    internal override bool CanDropPatches => true;

    internal override bool AttendsGlobally => true;

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width);

    private static IReadOnlyList<(BlockPart, string)> BlockNames { get; } =
    [
        (BlockPart.FirstNorm, "norm1"),
        (BlockPart.Key, "attention.k_proj"),
        (BlockPart.Value, "attention.v_proj"),
        (BlockPart.Query, "attention.q_proj"),
        (BlockPart.Output, "attention.o_proj"),
        (BlockPart.FirstScale, "layer_scale1.lambda1"),
        (BlockPart.SecondNorm, "norm2"),
        (BlockPart.Gate, "mlp.gate_proj"),
        (BlockPart.Widen, "mlp.up_proj"),
        (BlockPart.Narrow, "mlp.down_proj"),
        (BlockPart.SecondScale, "layer_scale2.lambda1"),
    ];

    private int LeadingTokens => 1 + _options.RegisterCount;

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        var rotary = _options.Positions(pixels.shape[2], pixels.shape[3], training, x);
        if (training && PatchDropRate > 0)
        {
            var places = PatchDropout.Draw(x, LeadingTokens, PatchDropRate, PatchNoise);        // [B, patches kept]
            x = PatchDropout.Keep(x, LeadingTokens, places);
            rotary = rotary.Keep(LeadingTokens, places);
        }

        trace?.Tokens = TokenMap.Of(pixels.shape, _options.PatchSize, [0.5, .. new double[_options.RegisterCount]]);
        trace?.AddHiddenState(x);
        x = Through(x, rotary.Pack(), _blocks, (block, tokens, packed) => block.Forward(tokens, trace, rotary: rotary.Unpack(packed)), trace); // [B, N, D]
        x = _last.Forward(x);                                                                   // [B, N, D]
        var patches = x.Narrow(1, LeadingTokens, x.shape[1] - LeadingTokens).Mean([1]);         // [B, D]
        return TensorShapes.Concat([x.Select(1, 0), patches], 1).MoveToOuterDisposeScope();     // [B, 2 D]
    }

    internal override void KeepExtras(IReadOnlyCollection<string> names) => _savesEarlierNames = names.Any(n => n.StartsWith(EarlierBlocks, StringComparison.Ordinal));

    private protected override string SavedName(string name) =>
        _savesEarlierNames && name.StartsWith(Blocks, StringComparison.Ordinal) ? name["model.".Length..] : name;

    protected override void InitializeLayer(Layer layer)
    {
        InitializeTruncatedNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            WeightInitialization.TruncatedNormal(_classToken.Value, _options.InitializerRange);
            WeightInitialization.TruncatedNormal(_options.RegisterCount > 0 ? _registers.Value : null, _options.InitializerRange);
            WeightInitialization.Fill(_maskToken.Value, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                      // [B, N - P, D]
        var leading = new[] { _classToken, _registers }.Take(_options.RegisterCount > 0 ? 2 : 1);
        return TensorShapes.Concat([.. leading.Select(t => t.Value.Expand(pixels.shape[0], -1, -1)), patches], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a DINOv3's <c>config.json</c> beside those that all transformers share.</summary>
/// <remarks>Source: transformers <c>DINOv3ViTConfig</c>; the defaults are its own.</remarks>
internal sealed record Dinov3Options : TransformerOptions
{
    private const int DefaultWidth = 384;
    private const int DefaultHeads = 6;
    private const int AnglesPerFrequency = 4;

    private readonly double _base;
    private readonly double? _shift;
    private readonly double? _jitter;
    private readonly double? _rescale;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or out of its range, or the heads do not divide the width.</exception>
    public Dinov3Options(ModelConfiguration configuration)
        : base(configuration, epsilon: 1e-5, width: DefaultWidth, heads: DefaultHeads)
    {
        AttentionDropout = configuration.Number("attention_dropout", 0);
        HasQueryBias = configuration.Flag("query_bias", true);
        HasKeyBias = configuration.Flag("key_bias", false);
        HasValueBias = configuration.Flag("value_bias", true);
        HasOutputBias = configuration.Flag("proj_bias", true);
        HasPerceptronBias = configuration.Flag("mlp_bias", true);
        HasOwnGate = configuration.Flag("use_gated_mlp", false);
        LayerScale = configuration.Number("layerscale_value", 1);
        DropPath = configuration.Number("drop_path_rate", 0);
        RegisterCount = configuration.WholeNumber("num_register_tokens", 0);
        DropsAfterPerceptron = false;
        _base = configuration.Number("rope_theta", 100);
        _shift = Optional(configuration, "pos_embed_shift", null, least: 0);
        _jitter = Optional(configuration, "pos_embed_jitter", null, least: 1);
        _rescale = Optional(configuration, "pos_embed_rescale", 2, least: 1);
        if (_base <= 0)
        {
            throw configuration.Refused("rope_theta", "a number above 0");
        }

        if (Width / HeadCount % AnglesPerFrequency != 0)
        {
            throw new ModelLoadException(
                Invariant($"hidden_size {Width} and num_attention_heads {HeadCount} give heads of width {Width / HeadCount}, which rotary positions need as a multiple of {AnglesPerFrequency}; change one of them."));
        }
    }

    public int RegisterCount { get; }

    public double DropPath { get; }

    /// <summary>The positions of a picture's patches; in training their coordinates are shifted, stretched and scaled at random, from torch's global generator.</summary>
    /// <param name="height">Height of the picture in pixels.</param>
    /// <param name="width">Its width.</param>
    /// <param name="isTraining">Whether coordinates are changed.</param>
    /// <param name="like">Decides device and precision.</param>
    public RotaryPositions Positions(long height, long width, bool isTraining, Tensor like)
    {
        var (rows, columns) = (Line(height / PatchSize.Height), Line(width / PatchSize.Width));
        if (isTraining)
        {
            Change(rows, columns);
        }

        var bands = new float[Width / HeadCount / AnglesPerFrequency];
        for (var i = 0; i < bands.Length; i++)
        {
            bands[i] = 1 / MathF.Pow((float)_base, (float)AnglesPerFrequency * i / (AnglesPerFrequency * bands.Length));
        }

        var angles = new float[rows.Length * columns.Length * 2 * bands.Length];
        for (var i = 0; i < angles.Length; i++)
        {
            var (place, angle) = Math.DivRem(i, 2 * bands.Length);
            var coordinate = angle < bands.Length ? rows[place / columns.Length] : columns[place % columns.Length];
            angles[i] = (float)(2 * Math.PI) * coordinate * bands[angle % bands.Length];
        }

        return RotaryPositions.Of(angles, Width / HeadCount, 1 + RegisterCount, isHalved: true, like);
    }

    private void Change(float[] rows, float[] columns)
    {
        if (_shift is { } shift)
        {
            var by = Draw(2, shift);
            Replace(rows, c => c + by[0]);
            Replace(columns, c => c + by[1]);
        }

        if (_jitter is { } jitter)
        {
            var by = Draw(2, Math.Log(jitter));
            Replace(rows, c => c * MathF.Exp(by[0]));
            Replace(columns, c => c * MathF.Exp(by[1]));
        }

        if (_rescale is { } rescale)
        {
            var by = MathF.Exp(Draw(1, Math.Log(rescale))[0]);
            Replace(rows, c => c * by);
            Replace(columns, c => c * by);
        }
    }

    private static float[] Draw(int count, double bound)
    {
        using var drawn = empty(count).uniform_(-bound, bound);
        return drawn.data<float>().ToArray();
    }

    private static void Replace(float[] values, Func<float, float> change)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = change(values[i]);
        }
    }

    /// <summary>The middles of so many patches side by side, from -1 to 1.</summary>
    private static float[] Line(long length)
    {
        var line = new float[length];
        for (var i = 0; i < length; i++)
        {
            line[i] = 2 * ((i + 0.5f) / length) - 1;
        }

        return line;
    }

    private static double? Optional(ModelConfiguration configuration, string key, double? missing, double least)
    {
        if (!configuration.Json.ContainsKey(key))
        {
            return missing;
        }

        return configuration.Json[key] is null ? null
            : configuration.Number(key, 0) is var number && number >= least && double.IsFinite(number) ? number
            : throw configuration.Refused(key, Invariant($"null or a number of at least {least}"));
    }
}
