using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, D channels, H height, W width, L labels.

/// <summary>PoolFormer, a transformer whose tokens mix by pooling, with a linear head on the normalized mean of its last plane.</summary>
/// <remarks>Source: transformers <c>PoolFormerForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class PoolFormerNetwork : TransformersNetwork
{
    public const string ModelType = "poolformer";
    public const string Name = "PoolFormerForImageClassification";

    private readonly PoolFormerOptions _options;
    private readonly List<(Convolution Patches, List<PoolFormerBlock> Blocks)> _stages = [];
    private readonly GroupNormalization _last;

    public PoolFormerNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "poolformer.")
    {
        _options = new PoolFormerOptions(configuration);
        var patches = new List<Convolution>();
        for (var stage = 0; stage < _options.Widths.Count; stage++)
        {
            var inputs = stage == 0 ? _options.Channels : _options.Widths[stage - 1];
            var (stride, padding) = (_options.Strides[stage], _options.Paddings[stage]);
            patches.Add(Add($"poolformer.encoder.patch_embeddings.{stage}.projection", new Convolution(
                inputs, _options.Widths[stage], new ConvolutionOptions(_options.PatchSizes[stage]) { Stride = (stride, stride), Padding = (padding, padding) })));
        }

        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < _options.Widths.Count; stage++)
        {
            var blocks = new List<PoolFormerBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"poolformer.encoder.block.{stage}.{i}", new PoolFormerBlock(_options, _options.Widths[stage], rates.Dequeue())));
            }

            _stages.Add((patches[stage], blocks));
        }

        _last = Add("norm", new GroupNormalization(_options.Widths[^1], groups: 1));
        AddHead("classifier", _options.Widths[^1]);
    }

    /// <summary>The norm before the classifier is new where the head is: an encoder alone has none.</summary>
    internal override IReadOnlyList<string> NewWithHead => ["norm.weight", "norm.bias"];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = Arranged(pixels);                                                               // [B, C, H, W]
        foreach (var (patches, blocks) in _stages)
        {
            x = Through(patches.Forward(x), blocks, (block, plane) => block.Forward(plane));    // [B, D, H', W']
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return _last.Forward(x).Mean([-2, -1]).MoveToOuterDisposeScope();                       // [B, D]
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);
}

/// <summary>One block of a PoolFormer: what each place has less than its neighborhood, then a perceptron, each after a norm and beside a shortcut.</summary>
/// <remarks>Source: transformers <c>PoolFormerLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class PoolFormerBlock : Layer
{
    private readonly PoolFormerOptions _options;
    private readonly ParameterSlot? _firstScale;
    private readonly ParameterSlot? _secondScale;
    private readonly Convolution _widen;
    private readonly Convolution _narrow;
    private readonly GroupNormalization _before;
    private readonly GroupNormalization _after;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly double _dropPath;

    public PoolFormerBlock(PoolFormerOptions options, int width, double dropPath)
        : base(nameof(PoolFormerBlock))
    {
        _options = options;
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        var inner = (int)(width * options.PerceptronRatio);
        _firstScale = options.HasLayerScale ? AddParameter("layer_scale_1", width) : null;
        _secondScale = options.HasLayerScale ? AddParameter("layer_scale_2", width) : null;
        _widen = Add("output.conv1", new Convolution(width, inner, new ConvolutionOptions(1)));
        _narrow = Add("output.conv2", new Convolution(inner, width, new ConvolutionOptions(1)));
        _before = Add("before_norm", new GroupNormalization(width, groups: 1));
        _after = Add("after_norm", new GroupNormalization(width, groups: 1));
    }

    /// <param name="input">Float [B, D, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _before.Forward(input);                                                         // [B, D, H, W]
        var pooled = x.AveragePool(_options.PoolSize, 1, _options.PoolSize / 2, countsPadding: false).Minus(x);
        var mixed = input.Plus(Branch(pooled, _firstScale));                                    // [B, D, H, W]
        var inner = StochasticDepth.Apply(_activation(_widen.Forward(_after.Forward(mixed))), _dropPath, training);
        var narrowed = StochasticDepth.Apply(_narrow.Forward(inner), _dropPath, training);      // [B, D, H, W]
        return mixed.Plus(Branch(narrowed, _secondScale)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_firstScale?.Value, _options.LayerScale);
        WeightInitialization.Fill(_secondScale?.Value, _options.LayerScale);
    }

    private Tensor Branch(Tensor x, ParameterSlot? scale) =>
        StochasticDepth.Apply(scale is { } slot ? slot.Value.Reshape(-1, 1, 1).Times(x) : x, _dropPath, training);
}

/// <summary>The keys of a PoolFormer's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>PoolFormerConfig</c>; the defaults are its own.</remarks>
internal sealed record PoolFormerOptions
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public PoolFormerOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        PoolSize = configuration.WholeNumber("pool_size", 3);
        PerceptronRatio = configuration.Number("mlp_ratio", 4);
        Depths = configuration.WholeNumbers("depths", 2, 2, 6, 2);
        Widths = configuration.WholeNumbers("hidden_sizes", 64, 128, 320, 512);
        PatchSizes = configuration.WholeNumbers("patch_sizes", 7, 3, 3, 3);
        Strides = configuration.WholeNumbers("strides", 4, 2, 2, 2);
        Paddings = configuration.WholeNumbers("padding", 2, 1, 1, 1);
        DropPath = configuration.Number("drop_path_rate", 0);
        Activation = configuration.Text("hidden_act", "gelu");
        HasLayerScale = configuration.Flag("use_layer_scale", true);
        LayerScale = configuration.Number("layer_scale_init_value", 1e-5);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        OptionChecks.Stages(("hidden_sizes", Widths), ("depths", Depths), ("patch_sizes", PatchSizes), ("strides", Strides), ("padding", Paddings));
        OptionChecks.Stage(configuration, "num_encoder_blocks", Widths.Count);
        if (PoolSize < 1 || PoolSize % 2 == 0)
        {
            throw new ModelLoadException(Invariant($"pool_size is {PoolSize}, expected an odd number, so that pooling keeps the size."));
        }
    }

    public int Channels { get; }

    public int PoolSize { get; }

    public double PerceptronRatio { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> PatchSizes { get; }

    public IReadOnlyList<int> Strides { get; }

    public IReadOnlyList<int> Paddings { get; }

    public double DropPath { get; }

    public string Activation { get; }

    public bool HasLayerScale { get; }

    public double LayerScale { get; }

    public double InitializerRange { get; }
}
