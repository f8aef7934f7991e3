using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, N tokens (those of R rows and S columns; in the last stage a class token before them), N' tokens attended to, D width, I inner width, L labels.

/// <summary>The first pyramid vision transformer, with a linear head on the class token of its last stage.</summary>
/// <remarks>Source: transformers <c>PvtForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class PvtNetwork : TransformersNetwork
{
    public const string ModelType = "pvt";
    public const string Name = "PvtForImageClassification";

    private readonly PvtOptions _options;
    private readonly List<Stage> _stages = [];
    private readonly ParameterSlot _classToken;
    private readonly LayerNormalization _last;

    public PvtNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "pvt.")
    {
        _options = new PvtOptions(configuration);
        var last = _options.Widths.Count - 1;
        _classToken = AddParameter($"pvt.encoder.patch_embeddings.{last}.cls_token", 1, 1, _options.Widths[last]);
        for (var stage = 0; stage <= last; stage++)
        {
            var (path, width, patch) = ($"pvt.encoder.patch_embeddings.{stage}", _options.Widths[stage], _options.PatchSizes[stage]);
            _stages.Add(new Stage(
                AddParameter(path + ".position_embeddings", 1, _options.PatchCount(stage) + (stage == last ? 1 : 0), width),
                Add(path + ".projection", new Convolution(
                    stage == 0 ? _options.Channels : _options.Widths[stage - 1], width, new ConvolutionOptions(_options.Strides[stage]) { Stride = (patch, patch) })),
                Add(path + ".layer_norm", new LayerNormalization(width, _options.Epsilon)),
                []));
        }

        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage <= last; stage++)
        {
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                _stages[stage].Blocks.Add(Add($"pvt.encoder.block.{stage}.{i}", new PvtBlock(_options, stage, rates.Dequeue())));
            }
        }

        _last = Add("pvt.encoder.layer_norm", new LayerNormalization(_options.Widths[last], _options.Epsilon));
        AddHead("classifier", _options.Widths[last]);
    }

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
            x = stage.Norm.Forward(patches.Flatten(2).Transpose(1, 2));                         // [B, R S, D]
            var isLast = stage == _stages[^1];
            if (isLast)
            {
                trace?.KeepPlane(x, size);
                x = TensorShapes.Concat([_classToken.Value.Expand(pixels.shape[0], -1, -1), x], 1); // [B, N, D]
            }

            if (x.shape[1] != stage.Positions.Value.shape[1])
            {
                throw new ArgumentException(
                    $"Input image size ({pixels.shape[2]}*{pixels.shape[3]}) doesn't match model ({_options.ImageSize.Height}*{_options.ImageSize.Width}).", nameof(pixels));
            }

            x = Dropout.Apply(x.Plus(stage.Positions.Value), _options.HiddenDropout, training); // [B, N, D]
            x = Through(x, stage.Blocks, (block, tokens) => block.Forward(tokens, size, trace), trace);
            plane = isLast ? plane : PvtV2Block.Plane(x, size).Contiguous();                    // [B, D, R, S]
        }

        x = _last.Forward(x!);                                                                  // [B, N, D]
        trace?.AddHiddenState(x);
        return x.Select(1, 0).MoveToOuterDisposeScope();                                        // [B, D]
    }

    protected override void SkipConstructed() =>
        _stages.ForEach(s => WeightInitialization.Skip(s.Positions.Value.shape));

    protected override void InitializeLayer(Layer layer)
    {
        InitializeTruncatedNormal(layer, _options.InitializerRange);
        if (_stages.Find(s => s.Norm == layer) is { } stage)
        {
            WeightInitialization.TruncatedNormal(stage.Positions.Value, _options.InitializerRange);
            WeightInitialization.TruncatedNormal(stage == _stages[^1] ? _classToken.Value : null, _options.InitializerRange);
        }
    }

    private sealed record Stage(ParameterSlot Positions, Convolution Patches, LayerNormalization Norm, List<PvtBlock> Blocks);
}

/// <summary>One block: attention of all tokens to those of a smaller plane, then a perceptron, each after a layer norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>PvtLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class PvtBlock : Layer
{
    private readonly LayerNormalization _before;
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly Dense _output;
    private readonly Convolution? _reduction;
    private readonly LayerNormalization? _reductionNorm;
    private readonly LayerNormalization _after;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly PvtOptions _options;
    private readonly int _heads;
    private readonly double _dropPath;

    public PvtBlock(PvtOptions options, int stage, double dropPath)
        : base(nameof(PvtBlock))
    {
        _options = options;
        _heads = options.HeadCounts[stage];
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var (width, ratio) = (options.Widths[stage], options.ReductionRatios[stage]);
        var inner = (int)(width * options.PerceptronRatios[stage]);
        _before = Add("layer_norm_1", new LayerNormalization(width, options.Epsilon));
        _query = Add("attention.self.query", new Dense(width, width, options.HasQueryBias));
        _key = Add("attention.self.key", new Dense(width, width, options.HasQueryBias));
        _value = Add("attention.self.value", new Dense(width, width, options.HasQueryBias));
        if (ratio > 1)
        {
            _reduction = Add("attention.self.sequence_reduction", new Convolution(width, width, new ConvolutionOptions(ratio) { Stride = (ratio, ratio) }));
            _reductionNorm = Add("attention.self.layer_norm", new LayerNormalization(width, options.Epsilon));
        }

        _output = Add("attention.output.dense", new Dense(width, width));
        _after = Add("layer_norm_2", new LayerNormalization(width, options.Epsilon));
        _widen = Add("mlp.dense1", new Dense(width, inner));
        _narrow = Add("mlp.dense2", new Dense(inner, width));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="size">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the block's attention; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) size, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var x = _before.Forward(tokens);                                                        // [B, N, D]
        var seen = _reduction is null ? x : _reductionNorm!.Forward(_reduction.Forward(PvtV2Block.Plane(x, size)).Flatten(2).Transpose(1, 2)); // [B, N', D]
        var mixed = Attention.Mix(
            _query.Forward(x), _key.Forward(seen), _value.Forward(seen), _heads,
            dropout: training ? _options.AttentionDropout : 0, trace: trace);                   // [B, N, D]
        var projected = Dropout.Apply(_output.Forward(mixed), _options.HiddenDropout, training);
        var attended = StochasticDepth.Apply(projected, _dropPath, training).Plus(tokens);      // [B, N, D]
        var inner = Dropout.Apply(_activation(_widen.Forward(_after.Forward(attended))), _options.HiddenDropout, training); // [B, N, I]
        var narrowed = Dropout.Apply(_narrow.Forward(inner), _options.HiddenDropout, training); // [B, N, D]
        return StochasticDepth.Apply(narrowed, _dropPath, training).Plus(attended).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a PVT's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>PvtConfig</c>; the defaults are its own.</remarks>
internal sealed record PvtOptions
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public PvtOptions(ModelConfiguration configuration)
    {
        ImageSize = configuration.Size("image_size", 224);
        Channels = configuration.WholeNumber("num_channels", 3);
        Depths = configuration.WholeNumbers("depths", 2, 2, 2, 2);
        ReductionRatios = configuration.WholeNumbers("sequence_reduction_ratios", 8, 4, 2, 1);
        Widths = configuration.WholeNumbers("hidden_sizes", 64, 128, 320, 512);
        PatchSizes = configuration.WholeNumbers("patch_sizes", 4, 2, 2, 2);
        Strides = configuration.WholeNumbers("strides", 4, 2, 2, 2);
        HeadCounts = configuration.WholeNumbers("num_attention_heads", 1, 2, 5, 8);
        PerceptronRatios = configuration.Numbers("mlp_ratios", 8, 8, 4, 4);
        Activation = configuration.Text("hidden_act", "gelu");
        HiddenDropout = configuration.Number("hidden_dropout_prob", 0);
        AttentionDropout = configuration.Number("attention_probs_dropout_prob", 0);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        DropPath = configuration.Number("drop_path_rate", 0);
        Epsilon = configuration.Number("layer_norm_eps", 1e-6);
        HasQueryBias = configuration.Flag("qkv_bias", true);
        OptionChecks.Stages(
            ("hidden_sizes", Widths), ("depths", Depths), ("sequence_reduction_ratios", ReductionRatios), ("patch_sizes", PatchSizes), ("strides", Strides), ("num_attention_heads", HeadCounts));
        OptionChecks.Stage(configuration, "num_encoder_blocks", Widths.Count);
        if (PerceptronRatios.Count != Widths.Count)
        {
            throw new ModelLoadException($"mlp_ratios has {PerceptronRatios.Count} entries and hidden_sizes {Widths.Count}; expected as many of each.");
        }

        for (var stage = 0; stage < Widths.Count; stage++)
        {
            OptionChecks.Heads(Widths[stage], HeadCounts[stage]);
            if (PatchCount(stage) < 1)
            {
                throw new ModelLoadException($"image_size {ImageSize.Height}x{ImageSize.Width} is too small for the {Widths.Count} stages of patch_sizes; use a larger one.");
            }
        }
    }

    public (int Height, int Width) ImageSize { get; }

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

    /// <summary>Patches of a stage for a picture of the model's own size; the reference takes the stages' planes from the picture's size alone.</summary>
    public int PatchCount(int stage)
    {
        var shrunk = stage == 0 ? 0 : stage + 1;
        return (ImageSize.Height >> shrunk) / PatchSizes[stage] * ((ImageSize.Width >> shrunk) / PatchSizes[stage]);
    }
}
