using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels of the picture, D channels, H height, W width, L labels.

/// <summary>ConvNeXt and ConvNeXt V2 with a linear head on the normalized mean of their last plane, and DINOv3's with such a head, which transformers does not have.</summary>
/// <remarks>Source: transformers <c>ConvNextForImageClassification</c>, <c>ConvNextV2ForImageClassification</c>, <c>DINOv3ConvNextModel</c>. Parity: 1e-5.</remarks>
internal sealed class ConvNextNetwork : TransformersNetwork
{
    public const string ModelType = "convnext";
    public const string Name = "ConvNextForImageClassification";
    public const string SecondType = "convnextv2";
    public const string SecondName = "ConvNextV2ForImageClassification";
    public const string Dinov3Type = "dinov3_convnext";
    public const string Dinov3Name = "DINOv3ConvNextForImageClassification";

    private const string Stages = "model.stages.";
    private const string EarlierStages = "stages.";

    private readonly ConvNextOptions _options;
    private readonly Convolution _patches;
    private readonly LayerNormalization _first;
    private readonly List<Stage> _stages = [];
    private readonly LayerNormalization _last;

    // transformers 4 has the stages of a DINOv3 at the top; a file that has them so keeps them so.
    private bool _savesEarlierNames;

    public ConvNextNetwork(ModelConfiguration configuration)
        : this(configuration, Name, "convnext.", ConvNextOptions.First(configuration))
    {
    }

    private ConvNextNetwork(ModelConfiguration configuration, string className, string prefix, ConvNextOptions options)
        : base(configuration, className, prefix)
    {
        _options = options;
        var names = options.Names;
        var widths = _options.Widths;
        _patches = Add(prefix + names.Stem, new Convolution(
            _options.Channels, widths[0], new ConvolutionOptions(_options.PatchSize) { Stride = _options.PatchSize }));
        _first = Add(prefix + names.StemNorm, new LayerNormalization(widths[0], _options.InnerEpsilon));
        var rates = new Queue<double>(StochasticDepth.Rising(_options.DropPath, _options.Depths.Sum()));
        for (var stage = 0; stage < widths.Count; stage++)
        {
            var path = Invariant($"{prefix}{names.Stages}{stage}");
            var norm = stage > 0 ? Add($"{path}.{names.Downsampling}.0", new LayerNormalization(widths[stage - 1], _options.InnerEpsilon)) : null;
            var downsampling = stage > 0
                ? Add($"{path}.{names.Downsampling}.1", new Convolution(widths[stage - 1], widths[stage], new ConvolutionOptions(2) { Stride = (2, 2) }))
                : null;
            var blocks = new List<ConvNextBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"{path}.layers.{i}", new ConvNextBlock(_options, widths[stage], rates.Dequeue())));
            }

            _stages.Add(new Stage(norm, downsampling, blocks));
        }

        _last = Add(prefix + names.Norm, new LayerNormalization(widths[^1], _options.Epsilon));
        AddHead("classifier", widths[^1]);
    }

    public override int SmallestSide => Math.Max(_options.PatchSize.Height, _options.PatchSize.Width) << (_options.Widths.Count - 1);

    /// <summary>The second version, whose blocks weigh channels by their share of the plane instead of learned factors.</summary>
    public static ConvNextNetwork Second(ModelConfiguration configuration) => new(configuration, SecondName, "convnextv2.", ConvNextOptions.Second(configuration));

    /// <summary>DINOv3's, under the names of the backbone's own file.</summary>
    public static ConvNextNetwork Dinov3(ModelConfiguration configuration) => new(configuration, Dinov3Name, "", ConvNextOptions.Dinov3(configuration));

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = _first.ForwardChannels(_patches.Forward(Arranged(pixels)));                     // [B, D, H, W]
        trace?.AddHiddenState(ClassName == Dinov3Name ? pixels : x);
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

    internal override void KeepExtras(IReadOnlyCollection<string> names) =>
        _savesEarlierNames = ClassName == Dinov3Name && names.Any(n => n.StartsWith(EarlierStages, StringComparison.Ordinal));

    private protected override string SavedName(string name) =>
        _savesEarlierNames && name.StartsWith(Stages, StringComparison.Ordinal) ? name["model.".Length..] : name;

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);

    private sealed record Stage(LayerNormalization? Norm, Convolution? Downsampling, List<ConvNextBlock> Blocks);
}

/// <summary>One block of a ConvNeXt: a wide convolution per channel, then a perceptron at each place, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>ConvNextLayer</c>, <c>ConvNextV2Layer</c>, <c>DINOv3ConvNextLayer</c>; the names are those of their files. Parity: 1e-5.</remarks>
internal sealed class ConvNextBlock : Layer
{
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
        var names = options.Names;
        _scale = options.LayerScale > 0 ? AddParameter(names.Scale, width) : null;
        _spatial = Add(names.Spatial, new Convolution(
            width, width, new ConvolutionOptions(KernelSide) { Padding = (KernelSide / 2, KernelSide / 2), Groups = width }));
        _norm = Add(names.BlockNorm, new LayerNormalization(width, options.InnerEpsilon));
        _widen = Add(names.Widen, new Dense(width, 4 * width));
        _response = options.IsSecond ? Add("grn", new ResponseNormalization(4 * width)) : null;
        _narrow = Add(names.Narrow, new Dense(4 * width, width));
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

/// <summary>What a family's files call the parts of a ConvNeXt.</summary>
/// <param name="Stem">The first convolution.</param>
/// <param name="StemNorm">The norm behind it.</param>
/// <param name="Stages">The stages, before their numbers.</param>
/// <param name="Downsampling">Norm and convolution between two stages, before their numbers.</param>
/// <param name="Norm">The norm of the pooled plane.</param>
/// <param name="Scale">In a block, the factors of its branch.</param>
/// <param name="Spatial">The convolution per channel.</param>
/// <param name="BlockNorm">The norm behind it.</param>
/// <param name="Widen">First layer of the perceptron.</param>
/// <param name="Narrow">Second layer of the perceptron.</param>
internal sealed record ConvNextNames(
    string Stem, string StemNorm, string Stages, string Downsampling, string Norm, string Scale, string Spatial, string BlockNorm, string Widen, string Narrow);

/// <summary>The keys of a <c>config.json</c> of ConvNeXt, ConvNeXt V2 and DINOv3's ConvNeXt.</summary>
/// <remarks>Source: transformers <c>ConvNextConfig</c>, <c>ConvNextV2Config</c>, <c>DINOv3ConvNextConfig</c>; the defaults are their own.</remarks>
internal sealed record ConvNextOptions
{
    private const double NormEpsilon = 1e-6;

    private static readonly ConvNextNames _names = new(
        "embeddings.patch_embeddings", "embeddings.layernorm", "encoder.stages.", "downsampling_layer", "layernorm", "layer_scale_parameter", "dwconv", "layernorm", "pwconv1", "pwconv2");

    private static readonly ConvNextNames _dinov3Names = new(
        "model.stages.0.downsample_layers.0", "model.stages.0.downsample_layers.1", "model.stages.", "downsample_layers", "layer_norm", "gamma", "depthwise_conv", "layer_norm",
        "pointwise_conv1", "pointwise_conv2");

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    private ConvNextOptions(ModelConfiguration configuration, double epsilon)
    {
        Names = _names;
        Widths = configuration.WholeNumbers("hidden_sizes", 96, 192, 384, 768);
        Depths = configuration.WholeNumbers("depths", 3, 3, 9, 3);
        Activation = configuration.Text("hidden_act", "gelu");
        InitializerRange = configuration.Number("initializer_range", 0.02);
        Epsilon = configuration.Number("layer_norm_eps", epsilon);
        PatchSize = configuration.Size("patch_size", 4);
        Channels = configuration.WholeNumber("num_channels", 3);
        LayerScale = configuration.Number("layer_scale_init_value", 1e-6);
        DropPath = configuration.Number("drop_path_rate", 0);
        var stages = configuration.WholeNumber("num_stages", Widths.Count);
        if (Widths.Count != stages || Depths.Count != stages)
        {
            throw new ModelLoadException(
                Invariant($"num_stages is {stages}, hidden_sizes has {Widths.Count} and depths {Depths.Count} entries; expected one number."));
        }
    }

    public static ConvNextOptions First(ModelConfiguration configuration) => new(configuration, 1e-12);

    public static ConvNextOptions Second(ModelConfiguration configuration) => new(configuration, 1e-12) { IsSecond = true, LayerScale = 0 };

    public static ConvNextOptions Dinov3(ModelConfiguration configuration)
    {
        var options = new ConvNextOptions(configuration, NormEpsilon) { Names = _dinov3Names };
        return options with { InnerEpsilon = options.Epsilon, PatchSize = (4, 4) };
    }

    /// <summary>What the files call the parts.</summary>
    public ConvNextNames Names { get; private init; }

    /// <summary>Whether blocks weigh channels by their share of the plane.</summary>
    public bool IsSecond { get; private init; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> Depths { get; }

    public string Activation { get; }

    public double InitializerRange { get; }

    /// <summary>Epsilon of the last norm.</summary>
    public double Epsilon { get; }

    /// <summary>Epsilon of the other norms.</summary>
    public double InnerEpsilon { get; private init; } = NormEpsilon;

    public (int Height, int Width) PatchSize { get; private init; }

    public int Channels { get; }

    public double LayerScale { get; private init; }

    public double DropPath { get; }
}
