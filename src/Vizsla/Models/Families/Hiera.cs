using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, N tokens, D width, H heads, K width of a head, M mask units, T tokens of a unit, S tokens that a pooling joins, L labels.

/// <summary>Hiera: attention within mask units, later between all tokens, with poolings of the queries between; a linear head on the normalized mean of the last tokens.</summary>
/// <remarks>Source: transformers <c>HieraForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class HieraNetwork : TransformersNetwork
{
    public const string ModelType = "hiera";
    public const string Name = "HieraForImageClassification";

    private readonly HieraOptions _options;
    private readonly ParameterSlot _positions;
    private readonly Convolution _patches;
    private readonly List<List<HieraBlock>> _stages = [];
    private readonly LayerNormalization _last;

    public HieraNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "hiera.")
    {
        _options = new HieraOptions(configuration);
        var (rows, columns) = _options.Grid;
        _positions = AddParameter("hiera.embeddings.position_embeddings", 1, rows * columns, _options.Width(0));
        _patches = Add("hiera.embeddings.patch_embeddings.projection", new Convolution(_options.Channels, _options.Width(0), _options.Patch));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < _options.Depths.Count; stage++)
        {
            var blocks = new List<HieraBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"hiera.encoder.stages.{stage}.layers.{i}", new HieraBlock(_options, stage, isFirst: i == 0, rates.Dequeue())));
            }

            _stages.Add(blocks);
        }

        _last = Add("hiera.pooler.layernorm", new LayerNormalization(_options.Width(^1), _options.Epsilon));
        AddHead("classifier", _options.Width(^1));
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var size = (pixels.shape[2], pixels.shape[3]);
        _options.CheckSize(size);
        var patches = _patches.Forward(pixels).Flatten(2).Transpose(1, 2);                      // [B, N, D]
        var positions = PositionEmbeddings.For(_positions.Value, 0, size, _options.ImageSize, _options.PatchStride, InterpolatesPositions);
        var x = Unrolled(patches.Plus(positions), pixels.shape[3] / _options.PatchStride.Width); // [B, N, D]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            x = Through(x, stage, (block, tokens) => block.Forward(tokens, trace));             // [B, N', D']
            trace?.AddHiddenState(x);
        }

        if (_options.PoolCount == _stages.Count - 1)
        {
            var (down, across) = _options.PooledPatch;
            trace?.KeepPlane(x, (size.Item1 / down, size.Item2 / across));
        }

        return _last.Forward(x.Mean([1])).MoveToOuterDisposeScope();                            // [B, D']
    }

    protected override void InitializeLayer(Layer layer)
    {
        InitializeTruncatedNormal(layer, _options.InitializerRange);
        switch (layer)
        {
            // The class sets biases to the deviation of the weights.
            case IWeighted weighted:
                WeightInitialization.Fill(weighted.Bias, _options.InitializerRange);
                break;
            case LayerNormalization norm:
                WeightInitialization.Fill(norm.get_parameter("bias"), _options.InitializerRange);
                WeightInitialization.Fill(norm.get_parameter("weight"), _options.NormStart);
                break;
        }

        if (layer == _patches)
        {
            WeightInitialization.TruncatedNormal(_positions.Value, _options.InitializerRange);
        }
    }

    /// <summary>Tokens in the order in which poolings find those that they join side by side, float [B, N, D].</summary>
    private Tensor Unrolled(Tensor tokens, long columns)
    {
        var count = _stages.Count - 1;
        var (down, across) = _options.QueryStride;
        var x = tokens.Unflatten(1, -1, columns);                                               // [B, R, S, D]
        x = x.Unflatten(2, [-1, .. Enumerable.Repeat((long)across, count)]);
        x = x.Unflatten(1, [-1, .. Enumerable.Repeat((long)down, count)]);                      // [B, r, h.., s, w.., D]
        var order = new List<long> { 0 };
        for (var i = 1; i <= count; i++)
        {
            order.AddRange([count - i + 2, 2 * count - i + 3]);
        }

        return x.Permute([.. order, 1, count + 2, 2 * count + 3]).Flatten(1, 2 * count + 2);
    }
}

/// <summary>One block of a Hiera: attention, whose queries may be pooled, and a perceptron, each after a layer norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>HieraLayer</c>, <c>HieraMaskUnitAttention</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class HieraBlock : Layer
{
    private readonly LayerNormalization _before;
    private readonly Dense _joined;
    private readonly Dense _mixed;
    private readonly LayerNormalization _after;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly Dense? _shortcut;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly int _heads;
    private readonly int _pooled;
    private readonly long? _unit;
    private readonly double _dropPath;

    public HieraBlock(HieraOptions options, int stage, bool isFirst, double dropPath)
        : base(nameof(HieraBlock))
    {
        var (inputs, outputs) = (options.Width(isFirst ? Math.Max(0, stage - 1) : stage), options.Width(stage));
        var inner = (int)(outputs * options.PerceptronRatio);
        (_heads, _dropPath, _activation) = (options.HeadCounts[stage], dropPath, Activation.Named(options.Activation));
        OptionChecks.Heads(outputs, _heads);
        var area = options.QueryStride.Down * options.QueryStride.Across;
        _pooled = isFirst && stage > 0 && stage <= options.PoolCount ? area : 1;
        var isMasked = options.MasksUnits[stage] || (isFirst && options.MasksUnits[Math.Max(0, stage - 1)]);
        _unit = isMasked ? _pooled * (long)(options.UnitArea * Math.Pow(area, -stage)) : null;
        if (_pooled > 1 && inputs == outputs)
        {
            throw new ModelLoadException(Invariant($"embed_dim_multiplier keeps the width of stage {stage}, whose queries are pooled; expected a larger one."));
        }

        _before = Add("layernorm_before", new LayerNormalization(inputs, options.Epsilon));
        _joined = Add("attn.qkv", new Dense(inputs, 3 * outputs));
        _mixed = Add("attn.proj", new Dense(outputs, outputs));
        _after = Add("layernorm_after", new LayerNormalization(outputs, options.Epsilon));
        _widen = Add("mlp.fc1", new Dense(outputs, inner));
        _narrow = Add("mlp.fc2", new Dense(inner, outputs));
        _shortcut = inputs == outputs ? null : Add("proj", new Dense(inputs, outputs));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="trace">Takes the attention; null keeps none.</param>
    /// <returns>Float [B, N / S, D']; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var x = _before.Forward(tokens);                                                        // [B, N, D]
        var shortcut = _shortcut is null ? tokens : _shortcut.Forward(x).Unflatten(1, _pooled, -1).Max([1]); // [B, N / S, D']
        x = shortcut.Plus(StochasticDepth.Apply(Attend(x, trace), _dropPath, training));
        var made = _narrow.Forward(_activation(_widen.Forward(_after.Forward(x))));
        return x.Plus(StochasticDepth.Apply(made, _dropPath, training)).MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor tokens, NetworkTrace? trace)
    {
        var parts = _joined.Forward(tokens).Chunk(3, -1)
            .Select(p => (_unit is { } unit ? p.Unflatten(1, unit, -1) : p.Unsqueeze(2)).Unflatten(3, _heads, -1).Permute(0, 3, 2, 1, 4)).ToList(); // 3 x [B, H, M, T, K]
        var query = _pooled > 1 ? parts[0].Unflatten(3, _pooled, -1).Max([3]) : parts[0];       // [B, H, M, T / S, K]
        var probabilities = query.Times(1 / Math.Sqrt(query.shape[4])).MatMul(parts[1].Transpose(3, 4)).Softmax(-1);
        trace?.AddAttention(probabilities.Flatten(1, 2));
        return _mixed.Forward(probabilities.MatMul(parts[2]).Transpose(1, 3).Flatten(3).Flatten(1, 2));
    }
}

/// <summary>The keys of a Hiera's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>HieraConfig</c>; the defaults are its own.</remarks>
internal sealed record HieraOptions
{
    private readonly int _width;
    private readonly double _widening;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, the numbers of stages differ, or mask units and poolings do not fit.</exception>
    public HieraOptions(ModelConfiguration configuration)
    {
        _width = configuration.WholeNumber("embed_dim", 96);
        _widening = configuration.Number("embed_dim_multiplier", 2);
        ImageSize = configuration.Size("image_size", 224);
        var (patch, padding) = (configuration.Size("patch_size", 7), configuration.WholeNumbers("patch_padding", 3, 3));
        PatchStride = configuration.Size("patch_stride", 4);
        QueryStride = configuration.Size("query_stride", 2);
        var unit = configuration.Size("masked_unit_size", 8);
        Depths = configuration.WholeNumbers("depths", 2, 3, 16, 3);
        HeadCounts = configuration.WholeNumbers("num_heads", 1, 2, 4, 8);
        MasksUnits = configuration.Flags("masked_unit_attention", true, true, false, false);
        PoolCount = configuration.WholeNumber("num_query_pool", 3);
        PerceptronRatio = configuration.Number("mlp_ratio", 4);
        DropPath = configuration.Number("drop_path_rate", 0);
        Channels = configuration.WholeNumber("num_channels", 3);
        Activation = configuration.Text("hidden_act", "gelu");
        InitializerRange = configuration.Number("initializer_range", 0.02);
        NormStart = configuration.Number("layer_norm_init", 1);
        Epsilon = configuration.Number("layer_norm_eps", 1e-6);
        UnitArea = unit.Height * unit.Width;
        OptionChecks.Stages(("depths", Depths), ("num_heads", HeadCounts), ("masked_unit_attention", [.. MasksUnits.Select(_ => 1)]));
        OptionChecks.Positive(("embed_dim", _width), ("query_stride", Math.Min(QueryStride.Down, QueryStride.Across)));
        OptionChecks.Patches(ImageSize, PatchStride);
        if (padding.Count != 2)
        {
            throw configuration.Refused("patch_padding", "two whole numbers");
        }

        if (PoolCount < 0 || PoolCount >= Depths.Count)
        {
            throw new ModelLoadException(Invariant($"num_query_pool is {PoolCount}, expected less than the {Depths.Count} stages of depths."));
        }

        if (unit.Height % (int)Math.Pow(QueryStride.Down, Depths.Count - 1) != 0)
        {
            throw new ModelLoadException(Invariant(
                $"masked_unit_size {unit.Height} is not a multiple of query_stride {QueryStride.Down} to the power of {Depths.Count - 1}; change one of them."));
        }

        Patch = new ConvolutionOptions(patch) { Stride = PatchStride, Padding = (padding[0], padding[1]) };
        if (!Fits(ImageSize))
        {
            throw new ModelLoadException(Invariant(
                $"image_size {ImageSize.Height}x{ImageSize.Width} is not a multiple of {PooledPatch.Down}x{PooledPatch.Across}, patch_stride times all of query_stride; change one of them."));
        }
    }

    public (int Height, int Width) ImageSize { get; }

    /// <summary>The convolution that makes the tokens.</summary>
    public ConvolutionOptions Patch { get; }

    public (int Height, int Width) PatchStride { get; }

    /// <summary>How many tokens a pooling joins, down and across.</summary>
    public (int Down, int Across) QueryStride { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<int> HeadCounts { get; }

    /// <summary>For each stage whether tokens attend within their mask unit only.</summary>
    public IReadOnlyList<bool> MasksUnits { get; }

    /// <summary>Stages that begin with a pooling, the first one left out.</summary>
    public int PoolCount { get; }

    public double PerceptronRatio { get; }

    public double DropPath { get; }

    public int Channels { get; }

    public string Activation { get; }

    public double InitializerRange { get; }

    /// <summary>Factor of the norms before training.</summary>
    public double NormStart { get; }

    public double Epsilon { get; }

    /// <summary>Tokens of a mask unit in the first stage.</summary>
    public int UnitArea { get; }

    /// <summary>Rows and columns of the first stage's tokens.</summary>
    public (int Rows, int Columns) Grid => (ImageSize.Height / PatchStride.Height, ImageSize.Width / PatchStride.Width);

    /// <summary>Height and width in pixels that a token of the last stage stands for, where every stage pools.</summary>
    public (int Down, int Across) PooledPatch => (
        PatchStride.Height * (int)Math.Pow(QueryStride.Down, Depths.Count - 1), PatchStride.Width * (int)Math.Pow(QueryStride.Across, Depths.Count - 1));

    /// <summary>Width of the tokens in a stage.</summary>
    public int Width(Index stage) => (int)(_width * Math.Pow(_widening, stage.GetOffset(Depths.Count)));

    /// <summary>Pictures are cut into whole groups of the tokens that all poolings together join.</summary>
    /// <exception cref="ArgumentException">The size is no multiple of it.</exception>
    public void CheckSize((long Height, long Width) size)
    {
        if (!Fits(size))
        {
            throw new ArgumentException(
                Invariant($"A picture of {size.Height}x{size.Width} pixels cannot be cut into parts of {PooledPatch.Down}x{PooledPatch.Across}; resize it to a multiple."), nameof(size));
        }
    }

    private bool Fits((long Height, long Width) size) =>
        size.Height % PooledPatch.Down == 0 && size.Width % PooledPatch.Across == 0 && size.Height > 0 && size.Width > 0;
}
