using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, R rows, S columns, N tokens (R S, and the class token where a stage has one), N' tokens attended to, D width, L labels.

/// <summary>CvT, whose queries, keys and values come from convolutions, with a linear head on its class token or on the mean of its last tokens.</summary>
/// <remarks>Source: transformers <c>CvtForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class CvtNetwork : TransformersNetwork
{
    public const string ModelType = "cvt";
    public const string Name = "CvtForImageClassification";

    internal const double NormEpsilon = 1e-5;

    private readonly CvtOptions _options;
    private readonly List<Stage> _stages = [];
    private readonly LayerNormalization _last;

    public CvtNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "cvt.")
    {
        _options = new CvtOptions(configuration);
        for (var s = 0; s < _options.Widths.Count; s++)
        {
            var (path, width) = ($"cvt.encoder.stages.{s}", _options.Widths[s]);
            var (stride, padding) = (_options.PatchStrides[s], _options.PatchPaddings[s]);
            var stage = new Stage(
                _options.HasClassToken[s] ? AddParameter(path + ".cls_token", 1, 1, width) : null,
                Add(path + ".embedding.convolution_embeddings.projection", new Convolution(
                    s == 0 ? _options.Channels : _options.Widths[s - 1], width,
                    new ConvolutionOptions(_options.PatchSizes[s]) { Stride = (stride, stride), Padding = (padding, padding) })),
                Add(path + ".embedding.convolution_embeddings.normalization", new LayerNormalization(width, NormEpsilon)),
                []);
            for (var i = 0; i < _options.Depths[s]; i++)
            {
                stage.Blocks.Add(Add($"{path}.layers.{i}", new CvtBlock(_options, s)));
            }

            _stages.Add(stage);
        }

        _last = Add("layernorm", new LayerNormalization(_options.Widths[^1], NormEpsilon));
        AddHead("classifier", _options.Widths[^1]);
    }

    /// <summary>The norm before the classifier is new where the head is: an encoder alone has none.</summary>
    internal override IReadOnlyList<string> NewWithHead => ["layernorm.weight", "layernorm.bias"];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var plane = Arranged(pixels);                                                           // [B, C, H, W]
        Tensor? tokens = null;
        foreach (var (stage, s) in _stages.Select((stage, s) => (stage, s)))
        {
            var patches = stage.Patches.Forward(plane);                                         // [B, D, R, S]
            (long Rows, long Columns) size = (patches.shape[2], patches.shape[3]);
            var x = stage.Norm.Forward(patches.Flatten(2).Transpose(1, 2));                     // [B, R S, D]
            x = Dropout.Apply(x, _options.HiddenDropouts[s], training);
            if (stage == _stages[^1])
            {
                trace?.KeepPlane(x, size);
            }

            x = stage.ClassToken is { } token ? TensorShapes.Concat([token.Value.Expand(pixels.shape[0], -1, -1), x], 1) : x.Alias();
            x = Through(x, stage.Blocks, (block, input) => block.Forward(input, size, trace));  // [B, N, D]
            var places = stage.ClassToken is null ? x : x.Narrow(1, 1, x.shape[1] - 1);         // [B, R S, D]
            plane = PvtV2Block.Plane(places, size);                                             // [B, D, R, S]
            trace?.AddHiddenState(plane);
            tokens = stage.ClassToken is null ? places : x.Narrow(1, 0, 1);                     // [B, R S or 1, D]
        }

        return _last.Forward(tokens!).Mean([1]).MoveToOuterDisposeScope();                      // [B, D]
    }

    protected override void SkipConstructed() => _stages.ForEach(s =>
    {
        if (s.ClassToken is { } token)
        {
            WeightInitialization.Skip(token.Value.shape);
        }
    });

    protected override void InitializeLayer(Layer layer)
    {
        InitializeTruncatedNormal(layer, _options.InitializerRange);
        if (_stages.Find(s => s.Norm == layer) is { } stage)
        {
            WeightInitialization.TruncatedNormal(stage.ClassToken?.Value, _options.InitializerRange);
        }
    }

    private sealed record Stage(ParameterSlot? ClassToken, Convolution Patches, LayerNormalization Norm, List<CvtBlock> Blocks);
}

/// <summary>One block of a CvT: attention and perceptron, each after a layer norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>CvtLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class CvtBlock : Layer
{
    private readonly List<ConvolutionUnit> _convolutions = [];
    private readonly List<Dense> _projections = [];
    private readonly Dense _output;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly LayerNormalization _before;
    private readonly LayerNormalization _after;
    private readonly CvtOptions _options;
    private readonly int _stage;

    public CvtBlock(CvtOptions options, int stage)
        : base(nameof(CvtBlock))
    {
        _options = options;
        _stage = stage;
        var width = options.Widths[stage];
        var inner = (int)(width * options.PerceptronRatios[stage]);
        foreach (var part in new[] { "query", "key", "value" })
        {
            var (stride, padding) = part == "query" ? (options.QueryStrides[stage], options.QueryPaddings[stage]) : (options.KeyStrides[stage], options.KeyPaddings[stage]);
            _convolutions.Add(ConvolutionUnit.Add(
                this, ResNetBlock.NamesOf($"attention.attention.convolution_projection_{part}.convolution_projection"), width, width,
                new ConvolutionOptions(options.Kernels[stage]) { Stride = (stride, stride), Padding = (padding, padding), Groups = width }, activation: null));
        }

        foreach (var part in new[] { "query", "key", "value" })
        {
            _projections.Add(Add($"attention.attention.projection_{part}", new Dense(width, width, options.HasQueryBias[stage])));
        }

        _output = Add("attention.output.dense", new Dense(width, width));
        _widen = Add("intermediate.dense", new Dense(width, inner));
        _narrow = Add("output.dense", new Dense(inner, width));
        _before = Add("layernorm_before", new LayerNormalization(width, CvtNetwork.NormEpsilon));
        _after = Add("layernorm_after", new LayerNormalization(width, CvtNetwork.NormEpsilon));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="size">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the block's attention; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) size, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var hidden = _options.HiddenDropouts[_stage];
        var mixed = Dropout.Apply(_output.Forward(Attend(_before.Forward(tokens), size, trace)), hidden, training); // [B, N, D]
        var attended = StochasticDepth.Apply(mixed, _options.DropPathOf(_stage), training).Plus(tokens); // [B, N, D]
        var narrowed = Dropout.Apply(_narrow.Forward(_widen.Forward(_after.Forward(attended)).Gelu()), hidden, training);

        // The reference leaves the shortcut out with the branch.
        return StochasticDepth.Apply(narrowed.Plus(attended), _options.DropPathOf(_stage), training).MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor x, (long Rows, long Columns) size, NetworkTrace? trace)
    {
        var hasToken = _options.HasClassToken[_stage];
        var token = hasToken ? x.Narrow(1, 0, 1) : null;                                        // [B, 1, D]
        var plane = PvtV2Block.Plane(hasToken ? x.Narrow(1, 1, x.shape[1] - 1) : x, size);      // [B, D, R, S]
        var parts = _convolutions.Zip(_projections, (convolution, projection) =>
        {
            var places = convolution.Forward(plane).Flatten(2).Transpose(1, 2);                 // [B, N', D]
            return projection.Forward(token is null ? places : TensorShapes.Concat([token, places], 1));
        }).ToList();

        // Scores are divided by the root of the whole width, not of a head's.
        var query = parts[0].Times(1 / Math.Sqrt(_options.HeadCounts[_stage]));                 // [B, N, D]
        return Attention.Mix(
            query, parts[1], parts[2], _options.HeadCounts[_stage],
            dropout: training ? _options.AttentionDropouts[_stage] : 0, trace: trace);          // [B, N, D]
    }
}

/// <summary>The keys of a CvT's <c>config.json</c>, each a list with an entry for each stage.</summary>
/// <remarks>Source: transformers <c>CvtConfig</c>; the defaults are its own.</remarks>
internal sealed record CvtOptions
{
    private readonly IReadOnlyList<double> _dropPaths;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public CvtOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        PatchSizes = configuration.WholeNumbers("patch_sizes", 7, 3, 3);
        PatchStrides = configuration.WholeNumbers("patch_stride", 4, 2, 2);
        PatchPaddings = configuration.WholeNumbers("patch_padding", 2, 1, 1);
        Widths = configuration.WholeNumbers("embed_dim", 64, 192, 384);
        HeadCounts = configuration.WholeNumbers("num_heads", 1, 3, 6);
        Depths = configuration.WholeNumbers("depth", 1, 2, 10);
        PerceptronRatios = configuration.Numbers("mlp_ratio", 4, 4, 4);
        AttentionDropouts = configuration.Numbers("attention_drop_rate", 0, 0, 0);
        HiddenDropouts = configuration.Numbers("drop_rate", 0, 0, 0);
        _dropPaths = configuration.Numbers("drop_path_rate", 0, 0, 0.1);
        HasQueryBias = configuration.Flags("qkv_bias", true, true, true);
        HasClassToken = configuration.Flags("cls_token", false, false, true);
        Kernels = configuration.WholeNumbers("kernel_qkv", 3, 3, 3);
        KeyPaddings = configuration.WholeNumbers("padding_kv", 1, 1, 1);
        KeyStrides = configuration.WholeNumbers("stride_kv", 2, 2, 2);
        QueryPaddings = configuration.WholeNumbers("padding_q", 1, 1, 1);
        QueryStrides = configuration.WholeNumbers("stride_q", 1, 1, 1);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        OptionChecks.Stages(
            ("embed_dim", Widths), ("num_heads", HeadCounts), ("depth", Depths), ("patch_sizes", PatchSizes), ("patch_stride", PatchStrides), ("patch_padding", PatchPaddings),
            ("kernel_qkv", Kernels), ("padding_kv", KeyPaddings), ("stride_kv", KeyStrides), ("padding_q", QueryPaddings), ("stride_q", QueryStrides));
        var counts = new[] { PerceptronRatios.Count, AttentionDropouts.Count, HiddenDropouts.Count, _dropPaths.Count, HasQueryBias.Count, HasClassToken.Count };
        if (counts.Any(c => c != Widths.Count))
        {
            throw new ModelLoadException(
                $"mlp_ratio, attention_drop_rate, drop_rate, drop_path_rate, qkv_bias and cls_token have {string.Join(", ", counts)} entries and embed_dim {Widths.Count}; expected as many of each.");
        }

        for (var stage = 0; stage < Widths.Count; stage++)
        {
            OptionChecks.Heads(Widths[stage], HeadCounts[stage]);
            if (Depths[stage] <= stage)
            {
                throw new ModelLoadException($"depth is {Depths[stage]} in stage {stage}, expected at least {stage + 1}: the drop_path_rate of a stage is that of its block with the stage's number.");
            }

            if (HasClassToken[stage] && Widths[stage] != Widths[^1])
            {
                throw new ModelLoadException($"cls_token is true in stage {stage}, which is {Widths[stage]} wide; expected the last width, {Widths[^1]}.");
            }
        }
    }

    public int Channels { get; }

    public IReadOnlyList<int> PatchSizes { get; }

    public IReadOnlyList<int> PatchStrides { get; }

    public IReadOnlyList<int> PatchPaddings { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> HeadCounts { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<double> PerceptronRatios { get; }

    public IReadOnlyList<double> AttentionDropouts { get; }

    public IReadOnlyList<double> HiddenDropouts { get; }

    public IReadOnlyList<bool> HasQueryBias { get; }

    public IReadOnlyList<bool> HasClassToken { get; }

    public IReadOnlyList<int> Kernels { get; }

    public IReadOnlyList<int> KeyPaddings { get; }

    public IReadOnlyList<int> KeyStrides { get; }

    public IReadOnlyList<int> QueryPaddings { get; }

    public IReadOnlyList<int> QueryStrides { get; }

    public double InitializerRange { get; }

    /// <summary>Share of the pictures that every block of a stage leaves out: in the reference that of the block with the stage's number.</summary>
    public double DropPathOf(int stage) => StochasticDepth.Rising(_dropPaths[stage], Depths[stage])[stage];
}
