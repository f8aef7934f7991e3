using Vizsla.Models.Layers;
using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, N tokens (P leading ones and the patches), D width, F features.

/// <summary>timm's Vision Transformer: ViT of every size, hybrids, DeiT, DeiT III, CLIP, SigLIP, DINOv2, with registers.</summary>
/// <remarks>Source: timm <c>VisionTransformer</c>, <c>VisionTransformerDistilled</c>. Parity: 1e-4.</remarks>
internal sealed class TimmVitNetwork : TimmNetwork
{
    private const double Deviation = 0.02;
    private const double TokenDeviation = 1e-6;
    private static readonly string[] _poolings = ["avg", "avgmax", "map", "max", "token"];

    private readonly TimmVitShape _shape;
    private readonly List<ParameterSlot> _leading = [];
    private readonly ParameterSlot _positions;
    private readonly TimmPatches _patches;
    private readonly TensorLayer? _before;
    private readonly List<TimmVitBlock> _blocks = [];
    private readonly TensorLayer? _norm;
    private readonly TimmAttentionPool? _pool;
    private readonly TensorLayer? _pooledNorm;
    private readonly Dense? _second;
    private readonly string _pooling;
    private readonly bool _leadingArePooled;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="isDistilled">Whether a second head works on a second leading token.</param>
    public TimmVitNetwork(ModelConfiguration configuration, ModelConfiguration arguments, bool isDistilled)
        : base(configuration, arguments)
    {
        _pooling = Options.Pooling ?? "token";
        if (!_poolings.Contains(_pooling))
        {
            throw new ModelLoadException($"Unknown global_pool '{_pooling}'. Known: {string.Join(", ", _poolings)}.{Suggestion.DidYouMean(_pooling, _poolings)}");
        }

        _shape = TimmVitShape.From(arguments);
        _leadingArePooled = arguments.Flag("pool_include_prefix", false);
        if (_shape.HasClassToken)
        {
            _leading.Add(AddParameter("cls_token", 1, 1, _shape.Width));
        }

        if (_shape.RegisterCount > 0)
        {
            _leading.Add(AddParameter("reg_token", 1, _shape.RegisterCount, _shape.Width));
        }

        var grid = TimmPatches.GridOf(arguments, Options.ImageSize);
        LeadingCount = (_shape.HasClassToken ? 1 : 0) + _shape.RegisterCount + (isDistilled ? 1 : 0);
        _positions = AddParameter("pos_embed", 1, grid.Rows * grid.Columns + (_shape.LeadingHavePositions ? LeadingCount : 0), _shape.Width);
        if (isDistilled)
        {
            _leading.Add(AddParameter("dist_token", 1, 1, _shape.Width));
        }

        _patches = new TimmPatches(this, arguments, Options, _shape.Width, hasBias: !_shape.NormsFirst);
        _before = _shape.NormsFirst ? Add("norm_pre", _shape.MakeNorm(_shape.Width)) : null;
        var depth = arguments.WholeNumber("depth", 12);
        var rates = StochasticDepth.Rising(Options.DropPath, depth);
        for (var i = 0; i < depth; i++)
        {
            _blocks.Add(Add($"blocks.{i}", TimmVitBlock.Make(_shape, rates[i])));
        }

        // Where patches are pooled, the norm comes after the pooling and has another name.
        var pooledNorm = arguments.Json["fc_norm"] is null ? _pooling is "avg" or "avgmax" or "max" : arguments.Flag("fc_norm", false);
        var lastNorm = arguments.Flag("final_norm", true);
        _norm = lastNorm && !pooledNorm ? Add("norm", _shape.MakeNorm(_shape.Width)) : null;
        _pool = _pooling == "map" ? Add("attn_pool", new TimmAttentionPool(_shape)) : null;
        _pooledNorm = lastNorm && pooledNorm ? Add("fc_norm", _shape.MakeNorm(_shape.Width)) : null;
        Classifier = Add(HeadName, new Dense(_shape.Width, Options.ClassCount));
        _second = isDistilled ? Add("head_dist", new Dense(_shape.Width, Options.ClassCount)) : null;
    }

    public override IReadOnlyList<string> HeadParameterNames =>
        _second is null ? base.HeadParameterNames : [.. base.HeadParameterNames, "head_dist.weight", "head_dist.bias"];

    internal override bool CanDropPatches => true;

    internal override bool AttendsGlobally => true;

    protected override string HeadName => "head";

    protected override TensorLayer Classifier { get; }

    /// <summary>Tokens before the patches.</summary>
    private int LeadingCount { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = Embed(pixels);                                                                  // [B, N, D]
        trace?.Tokens = TokenMap.Of(pixels.shape, _patches.PatchSize, _pooling == "token" ? [1, .. Enumerable.Repeat(0.0, LeadingCount - 1)] : new double[LeadingCount]);
        trace?.AddHiddenState(x);
        x = Through(x, _blocks, (block, tokens) => block.Forward(tokens, trace), trace);        // [B, N, D]
        x = _norm?.Forward(x) ?? x;
        var pooled = _second is null ? Pool(x) : x.Narrow(1, 0, 2).Flatten(1);                  // [B, D], with a second head [B, 2 D]
        return (_pooledNorm?.Forward(pooled) ?? pooled).MoveToOuterDisposeScope();
    }

    /// <summary>The mean of both heads where there are two.</summary>
    public override Tensor Head(Tensor features)
    {
        if (_second is null)
        {
            return base.Head(features);
        }

        using var scope = NewDisposeScope();
        var parts = features.Chunk(2, -1);
        return base.Head(parts[0]).Plus(_second.Forward(Dropout.Apply(parts[1], Options.DropRate, training))).Over(2).MoveToOuterDisposeScope();
    }

    public override void Initialize()
    {
        base.Initialize();
        using var mode = no_grad();
        WeightInitialization.TruncatedNormal(_positions.Value, Deviation);
        foreach (var token in _leading)
        {
            WeightInitialization.Normal(token.Value, TokenDeviation);
        }
    }

    public override void InitializeHead()
    {
        base.InitializeHead();
        using var mode = no_grad();
        _second?.ResetParameters();
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (layer is Dense dense)
        {
            WeightInitialization.TruncatedNormal(dense.Weight, Deviation);
            WeightInitialization.Fill(dense.Bias, 0);
        }
    }

    private Tensor Embed(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                      // [B, N - P, D]
        var counted = _shape.LeadingHavePositions ? LeadingCount : 0;
        var size = (pixels.shape[2], pixels.shape[3]);
        var positions = InterpolatesPositions
            ? PositionEmbeddings.Stretched(_positions.Value, counted, size, _patches.PatchSize, antialiases: true)
            : PositionEmbeddings.For(_positions.Value, counted, size, Options.ImageSize, _patches.PatchSize, interpolates: false);
        var leading = _leading.Select(t => t.Value.Expand(pixels.shape[0], -1, -1));            // [B, P, D]
        var x = _shape.LeadingHavePositions
            ? Joined([.. leading, patches]).Plus(positions)
            : Joined([.. leading, patches.Plus(positions)]);                                    // [B, N, D]
        x = PatchDropout.Apply(x, LeadingCount, PatchDropRate, training, PatchNoise);
        return (_before?.Forward(x) ?? x).MoveToOuterDisposeScope();
    }

    private static Tensor Joined(IReadOnlyList<Tensor> parts) => parts.Count == 1 ? parts[0] : TensorShapes.Concat(parts, 1);

    /// <summary>Float [B, N, D] to [B, D].</summary>
    private Tensor Pool(Tensor x)
    {
        if (_pooling == "token")
        {
            return x.Select(1, 0);
        }

        if (_pool is not null)
        {
            return _pool.Forward(x);
        }

        var pooled = _leadingArePooled ? x : x.Narrow(1, LeadingCount, x.shape[1] - LeadingCount);
        return _pooling switch
        {
            "avg" => pooled.Mean([1]),
            "max" => pooled.Max([1]),
            _ => pooled.Max([1]).Plus(pooled.Mean([1])).Times(0.5),
        };
    }
}

/// <summary>What all parts of one Vision Transformer share.</summary>
/// <param name="Width">Width of the tokens.</param>
/// <param name="Heads">Heads of the attention.</param>
/// <param name="InnerWidth">Width of the perceptron inside.</param>
/// <param name="Activation">Name of its activation.</param>
/// <param name="Norm">The norm with its arguments.</param>
/// <param name="HasJoinedBias">Whether queries, keys and values have a bias.</param>
/// <param name="HasHeadNorms">Whether queries and keys are normalized.</param>
/// <param name="LayerScale">Start of the factor of each channel; null where there is none.</param>
/// <param name="IsGated">Whether half of the perceptron gates the other half.</param>
/// <param name="Block">timm's name of the block.</param>
/// <param name="NormsFirst">Whether a norm comes before the blocks.</param>
/// <param name="HasClassToken">Whether a class token leads.</param>
/// <param name="RegisterCount">Registers that follow it.</param>
/// <param name="LeadingHavePositions">Whether leading tokens have position embeddings.</param>
internal sealed record TimmVitShape(
    int Width, int Heads, int InnerWidth, string Activation, string Norm, bool HasJoinedBias, bool HasHeadNorms, double? LayerScale, bool IsGated, string Block,
    bool NormsFirst, bool HasClassToken, int RegisterCount, bool LeadingHavePositions)
{
    public static TimmVitShape From(ModelConfiguration arguments)
    {
        var width = arguments.WholeNumber("embed_dim", 768);
        var perceptron = TimmSpec.Parse(arguments.Text("mlp_layer", "Mlp"));
        return new TimmVitShape(
            width,
            arguments.WholeNumber("num_heads", 12),
            (int)(width * arguments.Number("mlp_ratio", 4)),
            perceptron.Arguments.GetValueOrDefault("act_layer", arguments.Text("act_layer", "gelu")),
            arguments.Text("norm_layer", "LayerNorm(eps=1e-06)"),
            arguments.Flag("qkv_bias", true),
            arguments.Flag("qk_norm", false),
            arguments.Json["init_values"] is null ? null : arguments.Number("init_values", 0),
            perceptron.Name == "GluMlp",
            arguments.Text("block_fn", "Block"),
            arguments.Flag("pre_norm", false),
            arguments.Flag("class_token", true),
            arguments.WholeNumber("reg_tokens", 0),
            !arguments.Flag("no_embed_class", false));
    }

    /// <summary>A norm of tokens.</summary>
    public TensorLayer MakeNorm(int width) => TimmStyle.MakeNorm(Norm, width);
}
