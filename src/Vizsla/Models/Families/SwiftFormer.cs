using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, D channels, H height, W width, N = H W places, L labels.

/// <summary>SwiftFormer, whose attention adds instead of multiplying, with two linear heads on the normalized mean of its last plane, whose scores are averaged.</summary>
/// <remarks>Source: transformers <c>SwiftFormerForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class SwiftFormerNetwork : TransformersNetwork
{
    public const string ModelType = "swiftformer";
    public const string Name = "SwiftFormerForImageClassification";

    private const double Deviation = 0.02;

    private readonly SwiftFormerOptions _options;
    private readonly ConvolutionUnit _first;
    private readonly ConvolutionUnit _second;
    private readonly List<Func<Tensor, Tensor>> _parts = [];
    private readonly BatchNormalization _last;

    public SwiftFormerNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "swiftformer.")
    {
        _options = new SwiftFormerOptions(configuration);
        var (widths, relu) = (_options.Widths, Activation.Named("relu"));
        _first = AddUnit("swiftformer.patch_embed.patch_embedding.0", "swiftformer.patch_embed.patch_embedding.1", _options.Channels, widths[0] / 2, ConvolutionOptions.Centered(3, 2), relu);
        _second = AddUnit("swiftformer.patch_embed.patch_embedding.3", "swiftformer.patch_embed.patch_embedding.4", widths[0] / 2, widths[0], ConvolutionOptions.Centered(3, 2), relu);
        for (var stage = 0; stage < widths.Count; stage++)
        {
            var blocks = new List<SwiftFormerBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"swiftformer.encoder.network.{_parts.Count}.blocks.{i}", new SwiftFormerBlock(_options, stage, i)));
            }

            _parts.Add(plane => Through(plane.Alias(), blocks, (block, x) => block.Forward(x)));
            if (stage < widths.Count - 1 && (_options.Shrinks[stage] || widths[stage] != widths[stage + 1]))
            {
                var path = $"swiftformer.encoder.network.{_parts.Count}";
                _parts.Add(AddUnit(path + ".proj", path + ".norm", widths[stage], widths[stage + 1], _options.Shrinking, activation: null).Forward);
            }
        }

        _last = Add("norm", new BatchNormalization(widths[^1], _options.Epsilon));
        AddHead("head", widths[^1]);
        AddHead("dist_head", widths[^1]);
    }

    /// <summary>The norm before the heads is new where they are: an encoder alone has none.</summary>
    internal override IReadOnlyList<string> NewWithHead => ["norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"];

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _second.Forward(_first.Forward(Arranged(pixels)));                              // [B, D, H / 4, W / 4]
        trace?.AddHiddenState(x);
        x = Through(x, _parts, (part, plane) => part(plane), trace);                            // [B, D, H / 32, W / 32]
        trace?.KeepPlane(x);
        return _last.Forward(x).Flatten(2).Mean([-1]).MoveToOuterDisposeScope();                // [B, D]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return HeadLayers[0].Forward(features).Plus(HeadLayers[1].Forward(features)).Over(2).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer) => InitializeTruncatedNormal(layer, Deviation);

    private ConvolutionUnit AddUnit(string convolution, string norm, int inputs, int outputs, ConvolutionOptions options, Func<Tensor, Tensor>? activation) =>
        new(Add(convolution, new Convolution(inputs, outputs, options)), Add(norm, new BatchNormalization(outputs, _options.Epsilon)), activation);
}

/// <summary>One block of a SwiftFormer: convolutions beside a shortcut; the last of a stage has additive attention and a perceptron after them.</summary>
/// <remarks>Source: transformers <c>SwiftFormerConvEncoder</c>, <c>SwiftFormerEncoderBlock</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class SwiftFormerBlock : Layer
{
    private const double SmallestLength = 1e-12;

    private readonly SwiftFormerOptions _options;
    private readonly ParameterSlot? _attentionScale;
    private readonly ParameterSlot? _perceptronScale;
    private readonly ParameterSlot _localScale;
    private readonly ConvolutionUnit _local;
    private readonly Convolution _firstPoint;
    private readonly Convolution _secondPoint;
    private readonly ParameterSlot? _weigh;
    private readonly Dense? _query;
    private readonly Dense? _key;
    private readonly Dense? _project;
    private readonly Dense? _final;
    private readonly BatchNormalization? _norm;
    private readonly Convolution? _widen;
    private readonly Convolution? _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly double _dropPath;

    public SwiftFormerBlock(SwiftFormerOptions options, int stage, int index)
        : base(nameof(SwiftFormerBlock))
    {
        _options = options;
        _activation = Activation.Named(options.Activation);
        _dropPath = options.DropPathOf(stage, index);
        var (width, isLast) = (options.Widths[stage], index == options.Depths[stage] - 1);
        var inner = (int)(width * options.PerceptronRatio);
        if (isLast && options.HasLayerScale)
        {
            _attentionScale = AddParameter("layer_scale_1", width, 1, 1);
            _perceptronScale = AddParameter("layer_scale_2", width, 1, 1);
        }

        var local = isLast ? "local_representation." : "";
        _localScale = AddParameter(local + "layer_scale", width, 1, 1);
        _local = new ConvolutionUnit(
            Add(local + "depth_wise_conv", new Convolution(width, width, ConvolutionOptions.Centered(3, groups: width))),
            Add(local + "norm", new BatchNormalization(width, options.Epsilon)), activation: null);
        _firstPoint = Add(local + "point_wise_conv1", new Convolution(width, isLast ? width : inner, new ConvolutionOptions(1)));
        _secondPoint = Add(local + "point_wise_conv2", new Convolution(isLast ? width : inner, width, new ConvolutionOptions(1)));
        if (!isLast)
        {
            return;
        }

        _weigh = AddParameter("attn.w_g", width, 1);
        _query = Add("attn.to_query", new Dense(width, width));
        _key = Add("attn.to_key", new Dense(width, width));
        _project = Add("attn.proj", new Dense(width, width));
        _final = Add("attn.final", new Dense(width, width));
        _norm = Add("linear.norm1", new BatchNormalization(width, options.Epsilon));
        _widen = Add("linear.fc1", new Convolution(width, inner, new ConvolutionOptions(1)));
        _narrow = Add("linear.fc2", new Convolution(inner, width, new ConvolutionOptions(1)));
    }

    /// <param name="input">Float [B, D, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var branch = _localScale.Value.Times(_secondPoint.Forward(_firstPoint.Forward(_local.Forward(input)).Gelu())); // [B, D, H, W]
        var x = input.Plus(_weigh is null ? Dropout.Apply(branch, _options.ConvolutionDropout, training) : branch);
        if (_weigh is not null)
        {
            var attended = Attend(x.Flatten(2).Transpose(1, 2)).Transpose(1, 2).Unflatten(2, x.shape[2], x.shape[3]); // [B, D, H, W]
            x = x.Plus(Branch(attended, _attentionScale));
            x = x.Plus(Branch(Perceptron(x), _perceptronScale));
        }

        return x.MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_localScale.Value, 1);
        WeightInitialization.Fill(_attentionScale?.Value, _options.LayerScale);
        WeightInitialization.Fill(_perceptronScale?.Value, _options.LayerScale);
        WeightInitialization.Normal(_weigh?.Value, 1);
    }

    /// <summary>Float [B, N, D] to the same shape: keys weighed by one query for the whole plane.</summary>
    private Tensor Attend(Tensor tokens)
    {
        var q = Direction(_query!.Forward(tokens));                                             // [B, N, D]
        var k = Direction(_key!.Forward(tokens));                                               // [B, N, D]

        // The reference normalizes over an axis of one place, so that every share is one.
        var shares = q.MatMul(_weigh!.Value.Value).Times(1 / Math.Sqrt(tokens.shape[2])).Softmax(-1); // [B, N, 1]
        var whole = shares.Times(q).Sum([1], keepsAxes: true);                                  // [B, 1, D]
        return _final!.Forward(_project!.Forward(whole.Times(k)).Plus(q));                      // [B, N, D]
    }

    private Tensor Perceptron(Tensor x)
    {
        var inner = Dropout.Apply(_activation(_widen!.Forward(_norm!.Forward(x))), _options.PerceptronDropout, training);
        return Dropout.Apply(_narrow!.Forward(inner), _options.PerceptronDropout, training);
    }

    private Tensor Branch(Tensor x, ParameterSlot? scale) =>
        StochasticDepth.Apply(scale is { } slot ? slot.Value.Times(x) : x, _dropPath, training);

    private static Tensor Direction(Tensor x) => x.Over(x.Norm([-1], keepsAxes: true).Clamp(SmallestLength, double.PositiveInfinity));
}

/// <summary>The keys of a SwiftFormer's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>SwiftFormerConfig</c>; the defaults are its own.</remarks>
internal sealed record SwiftFormerOptions
{
    private readonly double _dropPath;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public SwiftFormerOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        Depths = configuration.WholeNumbers("depths", 3, 3, 6, 4);
        Widths = configuration.WholeNumbers("embed_dims", 48, 56, 112, 220);
        PerceptronRatio = configuration.Number("mlp_ratio", 4);
        Shrinks = configuration.Flags("downsamples", true, true, true, true);
        Activation = configuration.Text("hidden_act", "gelu");
        var (stride, padding) = (configuration.WholeNumber("down_stride", 2), configuration.WholeNumber("down_pad", 1));
        var side = configuration.Size("down_patch_size", 3);
        Shrinking = new ConvolutionOptions(side) { Stride = (stride, stride), Padding = (padding, padding) };
        _dropPath = configuration.Number("drop_path_rate", 0);
        PerceptronDropout = configuration.Number("drop_mlp_rate", 0);
        ConvolutionDropout = configuration.Number("drop_conv_encoder_rate", 0);
        HasLayerScale = configuration.Flag("use_layer_scale", true);
        LayerScale = configuration.Number("layer_scale_init_value", 1e-5);
        Epsilon = configuration.Number("batch_norm_eps", 1e-5);
        OptionChecks.Stages(("embed_dims", Widths), ("depths", Depths));
        OptionChecks.Positive(("down_stride", stride), ("down_patch_size", Math.Min(side.Height, side.Width)));
        if (Shrinks.Count < Widths.Count - 1)
        {
            throw new ModelLoadException($"downsamples has {Shrinks.Count} entries and embed_dims {Widths.Count}; expected as many of each.");
        }
    }

    public int Channels { get; }

    public IReadOnlyList<int> Depths { get; }

    public IReadOnlyList<int> Widths { get; }

    public double PerceptronRatio { get; }

    public IReadOnlyList<bool> Shrinks { get; }

    /// <summary>The convolution between two stages.</summary>
    public ConvolutionOptions Shrinking { get; }

    public string Activation { get; }

    public double PerceptronDropout { get; }

    public double ConvolutionDropout { get; }

    public bool HasLayerScale { get; }

    public double LayerScale { get; }

    public double Epsilon { get; }

    /// <summary>Share of the pictures that a block's branches leave out.</summary>
    public double DropPathOf(int stage, int index) => _dropPath * (Depths.Take(stage).Sum() + index) / Math.Max(1, Depths.Sum() - 1);
}
