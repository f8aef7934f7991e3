using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, N = R S tokens in R rows and S columns, N' tokens that are attended to, D width, I inner width, L labels.

/// <summary>The pyramid transformers PVT V2 and SegFormer, which attend to a smaller plane, with a linear head on the mean of their last tokens.</summary>
/// <remarks>Source: transformers <c>PvtV2ForImageClassification</c>, <c>SegformerForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class PvtV2Network : TransformersNetwork
{
    public const string ModelType = "pvt_v2";
    public const string Name = "PvtV2ForImageClassification";
    public const string SegformerType = "segformer";
    public const string SegformerName = "SegformerForImageClassification";

    private readonly PvtV2Options _options;
    private readonly List<Stage> _stages = [];

    public PvtV2Network(ModelConfiguration configuration)
        : this(configuration, Name, "pvt_v2.encoder.", new PvtV2Options(configuration, isSegformer: false))
    {
    }

    private PvtV2Network(ModelConfiguration configuration, string className, string encoder, PvtV2Options options)
        : base(configuration, className, encoder[..(encoder.IndexOf('.', StringComparison.Ordinal) + 1)])
    {
        _options = options;
        var rates = new Queue<double>(StochasticDepth.Rising(options.DropPath, options.Depths.Sum()));
        for (var stage = 0; stage < options.Widths.Count; stage++)
        {
            var (side, stride, width) = (options.PatchSizes[stage], options.Strides[stage], options.Widths[stage]);
            var patches = encoder + (options.IsSegformer ? $"patch_embeddings.{stage}" : $"layers.{stage}.patch_embedding");
            var made = new Stage(
                Add(patches + ".proj", new Convolution(
                    stage == 0 ? options.Channels : options.Widths[stage - 1], width,
                    new ConvolutionOptions(side) { Stride = (stride, stride), Padding = (side / 2, side / 2) })),
                Add(patches + ".layer_norm", new LayerNormalization(width, options.Epsilon)),
                [],
                Add(encoder + (options.IsSegformer ? $"layer_norm.{stage}" : $"layers.{stage}.layer_norm"), new LayerNormalization(width, options.Epsilon)));
            for (var i = 0; i < options.Depths[stage]; i++)
            {
                var path = options.IsSegformer ? $"block.{stage}.{i}" : $"layers.{stage}.blocks.{i}";
                made.Blocks.Add(Add(encoder + path, new PvtV2Block(options, stage, rates.Dequeue())));
            }

            _stages.Add(made);
        }

        AddHead("classifier", options.Widths[^1]);
    }

    /// <summary>SegFormer's encoder with its classifier.</summary>
    public static PvtV2Network Segformer(ModelConfiguration configuration) =>
        new(configuration, SegformerName, "segformer.encoder.", new PvtV2Options(configuration, isSegformer: true));

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var plane = Arranged(pixels);                                                           // [B, C, H, W]
        Tensor? x = null;
        foreach (var stage in _stages)
        {
            var patches = stage.Patches.Forward(plane);                                         // [B, D, R, S]
            (long Rows, long Columns) size = (patches.shape[2], patches.shape[3]);
            x = Through(stage.First.Forward(patches.Flatten(2).Transpose(1, 2)), stage.Blocks, (block, tokens) => block.Forward(tokens, size, trace));
            x = stage.Last.Forward(x);                                                          // [B, N, D]
            var isLast = stage == _stages[^1];
            plane = isLast && !_options.ReshapesLast ? x : PvtV2Block.Plane(x, size).Contiguous(); // [B, D, R, S]
            trace?.AddHiddenState(plane);
            if (isLast)
            {
                trace?.KeepPlane(x, size);
            }
        }

        return x!.Mean([1]).MoveToOuterDisposeScope();                                          // [B, D]
    }

    protected override void InitializeLayer(Layer layer)
    {
        if (_options.IsSegformer)
        {
            InitializeNormal(layer, _options.InitializerRange);
        }
        else if (layer is Convolution convolution)
        {
            WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs, convolution.Options.Groups);
            WeightInitialization.Fill(convolution.Bias, 0);
        }
        else
        {
            InitializeTruncatedNormal(layer, _options.InitializerRange);
        }
    }

    private sealed record Stage(Convolution Patches, LayerNormalization First, List<PvtV2Block> Blocks, LayerNormalization Last);
}

/// <summary>One block: attention of all tokens to those of a smaller plane, then a perceptron with a convolution per channel in it.</summary>
/// <remarks>Source: transformers <c>PvtV2BlockLayer</c>, <c>SegformerLayer</c>; the names are those of their files. Parity: 1e-5.</remarks>
internal sealed class PvtV2Block : Layer
{
    private const int PooledSide = 7;

    private readonly LayerNormalization _before;
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly Dense _output;
    private readonly Convolution? _reduction;
    private readonly LayerNormalization? _reductionNorm;
    private readonly LayerNormalization _after;
    private readonly Dense _widen;
    private readonly Convolution _spatial;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly PvtV2Options _options;
    private readonly int _heads;
    private readonly double _dropPath;

    public PvtV2Block(PvtV2Options options, int stage, double dropPath)
        : base(nameof(PvtV2Block))
    {
        _options = options;
        _heads = options.HeadCounts[stage];
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var (width, ratio) = (options.Widths[stage], options.ReductionRatios[stage]);
        var inner = (int)(width * options.PerceptronRatios[stage]);
        var own = options.IsSegformer ? "attention.self." : "attention.";
        _before = Add("layer_norm_1", new LayerNormalization(width, options.Epsilon));
        _query = Add(own + "query", new Dense(width, width, options.HasQueryBias));
        _key = Add(own + "key", new Dense(width, width, options.HasQueryBias));
        _value = Add(own + "value", new Dense(width, width, options.HasQueryBias));
        _output = Add(options.IsSegformer ? "attention.output.dense" : "attention.proj", new Dense(width, width));
        if (options.IsLinear || ratio > 1)
        {
            var side = options.IsLinear ? 1 : ratio;
            _reduction = Add(own + (options.IsSegformer ? "sr" : "spatial_reduction"), new Convolution(width, width, new ConvolutionOptions(side) { Stride = (side, side) }));
            _reductionNorm = Add(own + "layer_norm", new LayerNormalization(width, options.Epsilon));
        }

        _after = Add("layer_norm_2", new LayerNormalization(width, options.Epsilon));
        _widen = Add("mlp.dense1", new Dense(width, inner));
        _spatial = Add("mlp.dwconv.dwconv", new Convolution(inner, inner, ConvolutionOptions.Centered(3, groups: inner)));
        _narrow = Add("mlp.dense2", new Dense(inner, width));
    }

    /// <summary>Tokens, float [B, R S, D], as a plane, float [B, D, R, S].</summary>
    public static Tensor Plane(Tensor tokens, (long Rows, long Columns) size) => tokens.Transpose(1, 2).Unflatten(2, size.Rows, size.Columns);

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="size">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the block's attention; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) size, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var x = _before.Forward(tokens);                                                        // [B, N, D]
        var seen = Reduced(x, size);                                                            // [B, N', D]
        var mixed = Attention.Mix(
            _query.Forward(x), _key.Forward(seen), _value.Forward(seen), _heads,
            dropout: training ? _options.AttentionDropout : 0, trace: trace, isExplicit: _options.IsLinear); // [B, N, D]
        var projected = Dropout.Apply(_output.Forward(mixed), _options.HiddenDropout, training);
        var attended = StochasticDepth.Apply(projected, _dropPath, training).Plus(tokens);      // [B, N, D]
        var inner = _widen.Forward(_after.Forward(attended));                                   // [B, N, I]
        inner = _options.IsLinear ? inner.Relu() : inner;
        inner = _activation(_spatial.Forward(Plane(inner, size)).Flatten(2).Transpose(1, 2));   // [B, N, I]
        var narrowed = _narrow.Forward(Dropout.Apply(inner, _options.HiddenDropout, training)); // [B, N, D]
        narrowed = Dropout.Apply(narrowed, _options.HiddenDropout, training);
        return StochasticDepth.Apply(narrowed, _dropPath, training).Plus(attended).MoveToOuterDisposeScope();
    }

    private Tensor Reduced(Tensor x, (long Rows, long Columns) size)
    {
        if (_reduction is null)
        {
            return x;
        }

        var plane = Plane(x, size);                                                             // [B, D, R, S]
        plane = _options.IsLinear ? plane.AdaptiveAveragePool(PooledSide, PooledSide) : plane;
        var reduced = _reductionNorm!.Forward(_reduction.Forward(plane).Flatten(2).Transpose(1, 2)); // [B, N', D]
        return _options.IsLinear ? reduced.Gelu() : reduced;
    }
}

/// <summary>The keys of a <c>config.json</c> of PVT V2 and SegFormer.</summary>
/// <remarks>Source: transformers <c>PvtV2Config</c>, <c>SegformerConfig</c>; the defaults are their own.</remarks>
internal sealed record PvtV2Options
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public PvtV2Options(ModelConfiguration configuration, bool isSegformer)
    {
        IsSegformer = isSegformer;
        Channels = configuration.WholeNumber("num_channels", 3);
        Depths = configuration.WholeNumbers("depths", 2, 2, 2, 2);
        ReductionRatios = configuration.WholeNumbers("sr_ratios", 8, 4, 2, 1);
        Widths = configuration.WholeNumbers("hidden_sizes", 32, 64, 160, 256);
        PatchSizes = configuration.WholeNumbers("patch_sizes", 7, 3, 3, 3);
        Strides = configuration.WholeNumbers("strides", 4, 2, 2, 2);
        HeadCounts = configuration.WholeNumbers("num_attention_heads", 1, 2, 5, 8);
        PerceptronRatios = isSegformer ? configuration.Numbers("mlp_ratios", 4, 4, 4, 4) : configuration.Numbers("mlp_ratios", 8, 8, 4, 4);
        Activation = configuration.Text("hidden_act", "gelu");
        HiddenDropout = configuration.Number("hidden_dropout_prob", 0);
        AttentionDropout = configuration.Number("attention_probs_dropout_prob", 0);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        DropPath = configuration.Number("drop_path_rate", isSegformer ? 0.1 : 0);

        // SegFormer's norms do not read layer_norm_eps.
        Epsilon = isSegformer ? 1e-5 : configuration.Number("layer_norm_eps", 1e-6);
        HasQueryBias = isSegformer || configuration.Flag("qkv_bias", true);
        IsLinear = !isSegformer && configuration.Flag("linear_attention", false);
        ReshapesLast = !isSegformer || configuration.Flag("reshape_last_stage", true);
        OptionChecks.Stages(
            ("hidden_sizes", Widths), ("depths", Depths), ("sr_ratios", ReductionRatios), ("patch_sizes", PatchSizes), ("strides", Strides), ("num_attention_heads", HeadCounts));
        OptionChecks.Stage(configuration, "num_encoder_blocks", Widths.Count);
        if (PerceptronRatios.Count != Widths.Count)
        {
            throw new ModelLoadException($"mlp_ratios has {PerceptronRatios.Count} entries and hidden_sizes {Widths.Count}; expected as many of each.");
        }

        for (var stage = 0; stage < Widths.Count; stage++)
        {
            OptionChecks.Heads(Widths[stage], HeadCounts[stage]);
        }
    }

    public bool IsSegformer { get; }

    public int Channels { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<int> ReductionRatios { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> PatchSizes { get; }

    public IReadOnlyList<int> Strides { get; }

    public IReadOnlyList<int> HeadCounts { get; }

    public IReadOnlyList<double> PerceptronRatios { get; }

    public string Activation { get; }

    public double HiddenDropout { get; }

    public double AttentionDropout { get; }

    public double InitializerRange { get; }

    public double DropPath { get; }

    public double Epsilon { get; }

    public bool HasQueryBias { get; }

    public bool IsLinear { get; }

    public bool ReshapesLast { get; }
}
