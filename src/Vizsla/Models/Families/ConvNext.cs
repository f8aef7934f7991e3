using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, D channels, H height, W width, L labels.

/// <summary>ConvNeXt and ConvNeXt V2 with a linear head on the normalized mean of their last plane.</summary>
/// <remarks>Source: transformers <c>ConvNextForImageClassification</c>, <c>ConvNextV2ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class ConvNextNetwork : TransformersNetwork
{
    public const string ModelType = "convnext";
    public const string Name = "ConvNextForImageClassification";
    public const string SecondType = "convnextv2";
    public const string SecondName = "ConvNextV2ForImageClassification";

    private readonly ConvNextOptions _options;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<Stage> _stages = [];
    private readonly LayerNormalization _last;

    public ConvNextNetwork(ModelConfiguration configuration)
        : this(configuration, Name, "convnext.", isSecond: false)
    {
    }

    private ConvNextNetwork(ModelConfiguration configuration, string className, string prefix, bool isSecond)
        : base(configuration, className, prefix)
    {
        _options = new ConvNextOptions(configuration, isSecond);
        var widths = _options.Widths;
        _patches = Add(prefix + "embeddings.patch_embeddings", new Convolution(
            _options.Channels, widths[0], new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        _first = Add(prefix + "embeddings.layernorm", new LayerNormalization(widths[0], ConvNextBlock.NormEpsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < widths.Count; stage++)
        {
            var path = $"{prefix}encoder.stages.{stage}";
            var norm = stage > 0 ? Add(path + ".downsampling_layer.0", new LayerNormalization(widths[stage - 1], ConvNextBlock.NormEpsilon)) : null;
            var downsampling = stage > 0
                ? Add(path + ".downsampling_layer.1", new Convolution(widths[stage - 1], widths[stage], new ConvolutionOptions(2) { Stride = (2, 2) }))
                : null;
            var blocks = new List<ConvNextBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"{path}.layers.{i}", new ConvNextBlock(_options, widths[stage], rates.Dequeue())));
            }

            _stages.Add(new Stage(norm, downsampling, blocks));
        }

        _last = Add(prefix + "layernorm", new LayerNormalization(widths[^1], _options.Epsilon));
        AddHead("classifier", widths[^1]);
    }

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width) << (_options.Widths.Count - 1);

    /// <summary>The second version, whose blocks weigh channels by their share of the plane instead of learned factors.</summary>
    public static ConvNextNetwork Second(ModelConfiguration configuration) => new(configuration, SecondName, "convnextv2.", isSecond: true);

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = _first.ForwardChannels(_patches.Forward(Arranged(pixels)));                     // [B, D, H, W]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            if (stage.Downsampling is { } downsampling)
            {
                x = downsampling.Forward(stage.Norm!.ForwardChannels(x));                       // [B, 2 D, H / 2, W / 2]
            }

            x = Through(x, stage.Blocks, (block, plane) => block.Forward(plane));               // [B, D, H, W]
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return _last.Forward(x.Mean([-2, -1])).MoveToOuterDisposeScope();                       // [B, D]
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);

    private sealed record Stage(LayerNormalization? Norm, Convolution? Downsampling, List<ConvNextBlock> Blocks);
}

/// <summary>One block of a ConvNeXt: a wide convolution per channel, then a perceptron at each place, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>ConvNextLayer</c>, <c>ConvNextV2Layer</c>; the names are those of their files. Parity: 1e-5.</remarks>
internal sealed class ConvNextBlock : Layer
{
    internal const double NormEpsilon = 1e-6;
    private const int KernelSide = 7;

    private readonly ParameterSlot? _scale;
    private readonly Convolution _spatial;
    private readonly LayerNormalization _norm;
    private readonly Dense _widen;
    private readonly ResponseNormalization? _response;
    private readonly Dense _narrow;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly double _layerScale;
    private readonly double _dropPath;

    public ConvNextBlock(ConvNextOptions options, int width, double dropPath)
        : base(nameof(ConvNextBlock))
    {
        _layerScale = options.LayerScale;
        _dropPath = dropPath;
        _activation = Activation.Named(options.Activation);
        _scale = options.LayerScale > 0 ? AddParameter("layer_scale_parameter", width) : null;
        _spatial = Add("dwconv", new Convolution(
            width, width, new ConvolutionOptions(KernelSide) { Padding = (KernelSide / 2, KernelSide / 2), Groups = width }));
        _norm = Add("layernorm", new LayerNormalization(width, NormEpsilon));
        _widen = Add("pwconv1", new Dense(width, 4 * width));
        _response = options.IsSecond ? Add("grn", new ResponseNormalization(4 * width)) : null;
        _narrow = Add("pwconv2", new Dense(4 * width, width));
    }

    /// <param name="input">Float [B, D, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _spatial.Forward(input).Permute(0, 2, 3, 1);                                    // [B, H, W, D]
        x = _activation(_widen.Forward(_norm.Forward(x)));                                      // [B, H, W, 4 D]
        x = _narrow.Forward(_response?.Forward(x) ?? x);                                        // [B, H, W, D]
        x = (_scale is { } scale ? scale.Value.Times(x) : x).Permute(0, 3, 1, 2);               // [B, D, H, W]
        return input.Plus(StochasticDepth.Apply(x, _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_scale?.Value, _layerScale);
}

/// <summary>Scales each channel by how strongly it responds beside the others, over the whole plane.</summary>
/// <remarks>Source: transformers <c>ConvNextV2GRN</c>. Parity: 1e-5.</remarks>
internal sealed class ResponseNormalization : Layer
{
    private const double Epsilon = 1e-6;

    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;

    public ResponseNormalization(long width)
        : base(nameof(ResponseNormalization))
    {
        _weight = AddParameter("weight", 1, 1, 1, width);
        _bias = AddParameter("bias", 1, 1, 1, width);
    }

    /// <param name="input">Float [B, H, W, D].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var strength = input.Norm([1, 2], keepsAxes: true);                                     // [B, 1, 1, D]
        var share = strength.Over(strength.Mean([-1], keepsAxes: true).Plus(Epsilon));          // [B, 1, 1, D]
        return _weight.Value.Times(input.Times(share)).Plus(_bias.Value).Plus(input).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_weight.Value, 0);
        WeightInitialization.Fill(_bias.Value, 0);
    }
}

/// <summary>The keys of a <c>config.json</c> of ConvNeXt and ConvNeXt V2.</summary>
/// <remarks>Source: transformers <c>ConvNextConfig</c>, <c>ConvNextV2Config</c>; the defaults are their own.</remarks>
internal sealed record ConvNextOptions
{
    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public ConvNextOptions(ModelConfiguration configuration, bool isSecond)
    {
        IsSecond = isSecond;
        Widths = configuration.WholeNumbers("hidden_sizes", 96, 192, 384, 768);
        Depths = configuration.WholeNumbers("depths", 3, 3, 9, 3);
        Activation = configuration.Text("hidden_act", "gelu");
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("layer_norm_eps", 1e-12);
        PatchSize = configuration.Size("patch_size", 4);
        Channels = configuration.WholeNumber("num_channels", 3);
        LayerScale = isSecond ? 0 : configuration.Number("layer_scale_init_value", 1e-6);
        DropPath = configuration.Number("drop_path_rate", 0);
        var stages = configuration.WholeNumber("num_stages", Widths.Count);
        if (Widths.Count != stages || Depths.Count != stages)
        {
            throw new ModelLoadException(
                Invariant($"num_stages is {stages}, hidden_sizes has {Widths.Count} and depths {Depths.Count} entries; expected one number."));
        }
    }

    public bool IsSecond { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> Depths { get; }

    public string Activation { get; }

    public double InitializerRange { get; }

    public double Epsilon { get; }

    public (int Height, int Width) PatchSize { get; }

    public int Channels { get; }

    public double LayerScale { get; }

    public double DropPath { get; }
}
