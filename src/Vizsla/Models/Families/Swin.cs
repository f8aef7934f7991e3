using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, N = R S tokens in R rows and S columns, D width, H heads, W side of a window, M windows of a picture, I inner width, L labels.

/// <summary>Swin with a linear head on the mean of its last tokens, and Donut's, which lacks the last norm.</summary>
/// <remarks>Source: transformers <c>SwinForImageClassification</c>, <c>DonutSwinForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class SwinNetwork : TransformersNetwork
{
    public const string ModelType = "swin";
    public const string Name = "SwinForImageClassification";
    public const string DonutType = "donut-swin";
    public const string DonutName = "DonutSwinForImageClassification";

    private const double FirstEpsilon = 1e-5;

    private readonly SwinOptions _options;
    private readonly ParameterSlot? _positions;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<(List<SwinBlock> Blocks, PatchMerging? Merging)> _stages = [];
    private readonly LayerNormalization? _last;

    public SwinNetwork(ModelConfiguration configuration)
        : this(configuration, Name, "swin.", hasLastNorm: true)
    {
    }

    private SwinNetwork(ModelConfiguration configuration, string className, string prefix, bool hasLastNorm)
        : base(configuration, className, prefix)
    {
        _options = new SwinOptions(configuration);
        _positions = _options.HasPositions ? AddParameter(prefix + "embeddings.position_embeddings", 1, _options.PatchCount, _options.Width) : null;
        _patches = Add(prefix + "embeddings.patch_embeddings.projection", _options.PatchProjection());
        _first = Add(prefix + "embeddings.norm", new LayerNormalization(_options.Width, FirstEpsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < _options.Depths.Count; stage++)
        {
            var blocks = new List<SwinBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"{prefix}encoder.layers.{stage}.blocks.{i}", new SwinBlock(_options, stage, isShifted: i % 2 == 1, rates.Dequeue())));
            }

            var isLast = stage == _options.Depths.Count - 1;
            _stages.Add((blocks, isLast ? null : Add($"{prefix}encoder.layers.{stage}.downsample", new PatchMerging(_options.StageWidth(stage)))));
        }

        _last = hasLastNorm ? Add(prefix + "layernorm", new LayerNormalization(_options.LastWidth, _options.Epsilon)) : null;
        AddHead("classifier", _options.LastWidth);
    }

    /// <summary>The encoder of Donut, a Swin without the norm behind its last stage.</summary>
    /// <exception cref="ModelLoadException">Positions are learned: the class in Python keeps one too many and cannot run so.</exception>
    public static SwinNetwork Donut(ModelConfiguration configuration) => configuration.Flag("use_absolute_embeddings", false)
        ? throw configuration.Refused("use_absolute_embeddings", "false: no Donut has learned positions")
        : new(configuration, DonutName, "donut.", hasLastNorm: false);

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        using var scope = NewDisposeScope();
        var (x, plane) = Embed(pixels);                                                         // [B, N, D]
        trace?.AddHiddenState(x);
        foreach (var (blocks, merging) in _stages)
        {
            var own = plane;
            x = Through(x, blocks, (block, tokens) => block.Forward(tokens, own, trace));     // [B, N, D]
            if (merging is not null)
            {
                x = merging.Forward(x, plane);                                                  // [B, N / 4, 2 D]
                plane = ((plane.Rows + 1) / 2, (plane.Columns + 1) / 2);
            }

            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x, plane);
        return (_last?.Forward(x) ?? x).Mean([1]).MoveToOuterDisposeScope();                            // [B, D]
    }

    internal override void KeepExtras(IReadOnlyCollection<string> names)
    {
        if (names.Any(n => n.EndsWith(SwinBlock.DerivedIndex, StringComparison.Ordinal)))
        {
            _stages.SelectMany(s => s.Blocks).ToList().ForEach(b => b.KeepIndex());
        }
    }

    protected override void InitializeLayer(Layer layer)
    {
        InitializeNormal(layer, _options.InitializerRange);
        if (layer == _patches)
        {
            WeightInitialization.Fill(_positions?.Value, 0);
        }
    }

    private (Tensor Tokens, (long Rows, long Columns) Plane) Embed(Tensor pixels)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var patches = _patches.Forward(_options.PaddedToPatches(pixels));                       // [B, D, R, S]
        var x = _first.Forward(patches.Flatten(2).Transpose(1, 2));                             // [B, N, D]
        if (_positions is { } slot)
        {
            x = x.Plus(_options.PositionsFor(slot.Value, pixels, x.shape[1], InterpolatesPositions));
        }

        return (Dropout.Apply(x, _options.HiddenDropout, training).MoveToOuterDisposeScope(), (patches.shape[2], patches.shape[3]));
    }
}

/// <summary>One block of a Swin: attention within windows, every second time within windows shifted by half, then a perceptron.</summary>
/// <remarks>Source: transformers <c>SwinLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class SwinBlock : Layer
{
    /// <summary>End of the names of index buffers that files of transformers 4 hold and those of 5 do not; they follow from the configuration.</summary>
    public const string DerivedIndex = "relative_position_index";

    private readonly LayerNormalization _before;
    private readonly ParameterSlot _table;
    private readonly Dense _query;
    private readonly Dense _key;
    private readonly Dense _value;
    private readonly Dense _output;
    private readonly LayerNormalization _after;
    private readonly Dense _widen;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly SwinOptions _options;
    private readonly int _heads;
    private readonly bool _isShifted;
    private readonly double _dropPath;

    public SwinBlock(SwinOptions options, int stage, bool isShifted, double dropPath)
        : base(nameof(SwinBlock))
    {
        _options = options;
        _heads = options.HeadCounts[stage];
        _isShifted = isShifted;
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var width = options.StageWidth(stage);
        var span = 2 * options.WindowSize - 1;
        var inner = (int)(options.PerceptronRatio * width);
        _before = Add("layernorm_before", new LayerNormalization(width, options.Epsilon));
        _table = AddParameter("attention.self.relative_position_bias_table", span * span, _heads);
        _query = Add("attention.self.query", new Dense(width, width, options.HasQueryBias));
        _key = Add("attention.self.key", new Dense(width, width, options.HasQueryBias));
        _value = Add("attention.self.value", new Dense(width, width, options.HasQueryBias));
        _output = Add("attention.output.dense", new Dense(width, width));
        _after = Add("layernorm_after", new LayerNormalization(width, options.Epsilon));
        _widen = Add("intermediate.dense", new Dense(width, inner));
        _narrow = Add("output.dense", new Dense(inner, width));
    }

    /// <param name="tokens">Float [B, N, D].</param>
    /// <param name="plane">Rows and columns of the tokens.</param>
    /// <param name="trace">Takes the attention of the windows; null keeps none.</param>
    /// <returns>Float [B, N, D]; the caller owns it.</returns>
    public Tensor Forward(Tensor tokens, (long Rows, long Columns) plane, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var (side, shift) = _options.WindowFor(plane, _isShifted);
        var mixed = Windows.Apply(_before.Forward(tokens), plane, side, shift, (windows, mask) => Attend(windows, mask, trace)); // [B, N, D]
        var attended = tokens.Plus(StochasticDepth.Apply(mixed, _dropPath, training));          // [B, N, D]
        var inner = _activation(_widen.Forward(_after.Forward(attended)));                      // [B, N, I]
        var narrowed = Dropout.Apply(_narrow.Forward(inner), _options.HiddenDropout, training); // [B, N, D]
        return narrowed.Plus(attended).MoveToOuterDisposeScope();
    }

    /// <summary>Keeps the index of the bias as a buffer, int64 [W W, W W], as files of transformers 4 have it.</summary>
    public void KeepIndex()
    {
        var area = _options.WindowSize * _options.WindowSize;
        ModuleTree.KeepBuffer(_table.Owner, DerivedIndex, Windows.PairIndex(_options.WindowSize), [area, area]);
    }

    public override void ResetParameters() => WeightInitialization.Fill(_table.Value, 0);

    private Tensor Attend(Tensor windows, Tensor? mask, NetworkTrace? trace)
    {
        var bias = Bias();                                                                      // [1, H, W W, W W]
        bias = mask is null ? bias : bias.Plus(mask);                                           // [B M, H, W W, W W]
        var mixed = Attention.Mix(
            _query.Forward(windows), _key.Forward(windows), _value.Forward(windows), _heads, bias,
            training ? _options.AttentionDropout : 0, trace);                                   // [B M, W W, D]
        return Dropout.Apply(_output.Forward(mixed), _options.HiddenDropout, training);
    }

    /// <summary>The learned bias of each pair of places in a window, float [1, H, W W, W W].</summary>
    private Tensor Bias()
    {
        var area = _options.WindowSize * _options.WindowSize;
        var index = TensorShapes.Constant(Windows.PairIndex(_options.WindowSize), _table.Value.device);
        return _table.Value.Gather(0, index).Reshape(area, area, -1).Permute(2, 0, 1).Contiguous().Unsqueeze(0);
    }
}

/// <summary>The keys of a <c>config.json</c> of Swin, and of Swin V2.</summary>
/// <remarks>Source: transformers <c>SwinConfig</c>; the defaults are its own.</remarks>
internal sealed record SwinOptions
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or stages, heads and width do not fit.</exception>
    public SwinOptions(ModelConfiguration configuration)
    {
        Width = configuration.WholeNumber("embed_dim", 96);
        Depths = configuration.WholeNumbers("depths", 2, 2, 6, 2);
        HeadCounts = configuration.WholeNumbers("num_heads", 3, 6, 12, 24);
        WindowSize = configuration.WholeNumber("window_size", 7);
        PerceptronRatio = configuration.Number("mlp_ratio", 4);
        Activation = configuration.Text("hidden_act", "gelu");
        HiddenDropout = configuration.Number("hidden_dropout_prob", 0);
        AttentionDropout = configuration.Number("attention_probs_dropout_prob", 0);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("layer_norm_eps", 1e-5);
        ImageSize = configuration.Size("image_size", 224);
        PatchSize = configuration.Size("patch_size", 4);
        Channels = configuration.WholeNumber("num_channels", 3);
        HasQueryBias = configuration.Flag("qkv_bias", true);
        HasPositions = configuration.Flag("use_absolute_embeddings", false);
        DropPath = configuration.Number("drop_path_rate", 0.1);
        if (Depths.Count == 0 || Depths.Count != HeadCounts.Count)
        {
            throw new ModelLoadException($"depths has {Depths.Count} stages and num_heads {HeadCounts.Count}; expected as many of both.");
        }

        for (var stage = 0; stage < Depths.Count; stage++)
        {
            OptionChecks.Heads(StageWidth(stage), HeadCounts[stage]);
        }

        OptionChecks.Patches(ImageSize, PatchSize);
    }

    public int Width { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<int> HeadCounts { get; }

    public int WindowSize { get; }

    public double PerceptronRatio { get; }

    public string Activation { get; }

    public double HiddenDropout { get; }

    public double AttentionDropout { get; }

    public double InitializerRange { get; }

    public double Epsilon { get; }

    public (int Height, int Width) ImageSize { get; }

    public (int Height, int Width) PatchSize { get; }

    public int Channels { get; }

    public bool HasQueryBias { get; }

    public bool HasPositions { get; }

    public double DropPath { get; }

    /// <summary>Patches of a picture of the model's own size.</summary>
    public int PatchCount => ImageSize.Height / PatchSize.Height * (ImageSize.Width / PatchSize.Width);

    /// <summary>Width of the features.</summary>
    public int LastWidth => StageWidth(Depths.Count - 1);

    /// <summary>Width of the tokens in a stage; it doubles from one to the next.</summary>
    public int StageWidth(int stage) => Width << stage;

    /// <summary>The convolution that makes a token of each patch.</summary>
    public Convolution PatchProjection() => new(Channels, Width, new ConvolutionOptions(PatchSize) { Stride = PatchSize });

    /// <summary>The pixels with zeros below and on the right up to whole patches.</summary>
    public Tensor PaddedToPatches(Tensor pixels)
    {
        var below = (PatchSize.Height - pixels.shape[2] % PatchSize.Height) % PatchSize.Height;
        var right = (PatchSize.Width - pixels.shape[3] % PatchSize.Width) % PatchSize.Width;
        return below + right > 0 ? pixels.Pad([0, right, 0, below]) : pixels;
    }

    /// <summary>The learned positions for a picture, float [1, N, D].</summary>
    /// <exception cref="ArgumentException">The picture has another size and positions are not to be stretched.</exception>
    public Tensor PositionsFor(Tensor positions, Tensor pixels, long tokens, bool interpolates)
    {
        var (height, width) = (pixels.shape[2], pixels.shape[3]);
        var fitting = interpolates ? PositionEmbeddings.Stretched(positions, 0, (height, width), PatchSize) : positions.Alias();
        return fitting.shape[1] == tokens
            ? fitting
            : throw new ArgumentException($"Input image size ({height}*{width}) doesn't match model ({ImageSize.Height}*{ImageSize.Width}).", nameof(pixels));
    }

    /// <summary>Side and shift of the windows of a stage for pictures of the model's own size, whatever the picture's is.</summary>
    public (int Side, int Shift) FixedWindow(int stage, bool isShifted)
    {
        var (rows, columns) = (ImageSize.Height / PatchSize.Height >> stage, ImageSize.Width / PatchSize.Width >> stage);
        var side = Math.Min(rows, WindowSize);
        if (side < 1 || columns < 1)
        {
            throw new ModelLoadException($"image_size {ImageSize.Height}x{ImageSize.Width} is too small for the {Depths.Count} stages of depths; use a larger one or fewer stages.");
        }

        return (side, isShifted && rows > side ? WindowSize / 2 : 0);
    }

    /// <summary>Side and shift of the windows of a plane; one no larger than a window is one window, unshifted.</summary>
    public (long Side, long Shift) WindowFor((long Rows, long Columns) plane, bool isShifted)
    {
        var smallest = Math.Min(plane.Rows, plane.Columns);
        if (smallest < WindowSize)
        {
            throw new ArgumentException(
                $"A plane of {plane.Rows}x{plane.Columns} patches is smaller than the window of {WindowSize}; use a larger picture or a smaller window_size.", nameof(plane));
        }

        return smallest == WindowSize ? (WindowSize, 0) : (WindowSize, isShifted ? WindowSize / 2 : 0);
    }
}
