using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>HGNet V2 with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>HGNetV2ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class HgNetV2Network : TransformersNetwork
{
    public const string ModelType = "hgnet_v2";
    public const string Name = "HGNetV2ForImageClassification";

    private readonly HgNetV2Options _options;
    private readonly HgNetV2Unit[] _stem;
    private readonly List<(HgNetV2Unit? Downsampling, List<HgNetV2Block> Blocks)> _stages = [];

    public HgNetV2Network(ModelConfiguration configuration)
        : base(configuration, Name, "")
    {
        _options = new HgNetV2Options(configuration);
        var (inputs, middle, outputs) = (_options.StemWidths[0], _options.StemWidths[1], _options.StemWidths[2]);
        var strides = _options.StemStrides;
        _stem =
        [
            Stem("stem1", inputs, middle, 3, strides[0]),
            Stem("stem2a", middle, middle / 2, 2, strides[1]),
            Stem("stem2b", middle / 2, middle, 2, strides[2]),
            Stem("stem3", 2 * middle, middle, 3, strides[3]),
            Stem("stem4", middle, outputs, 1, strides[4]),
        ];
        for (var stage = 0; stage < _options.Inputs.Count; stage++)
        {
            var path = $"encoder.stages.{stage}";
            var (width, stride) = (_options.Inputs[stage], _options.Strides[stage]);
            var downsampling = _options.Shrinks[stage]
                ? Add(path + ".downsample", new HgNetV2Unit(width, width, ConvolutionOptions.Centered(3, stride, width), activation: null, hasAffine: false))
                : null;
            var blocks = new List<HgNetV2Block>();
            for (var i = 0; i < _options.Repeats[stage]; i++)
            {
                blocks.Add(Add($"{path}.blocks.{i}", new HgNetV2Block(_options, stage, i == 0 ? width : _options.Outputs[stage], isResidual: i > 0)));
            }

            _stages.Add((downsampling, blocks));
        }

        AddHead("fc", _options.Outputs[^1]);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem[0].Forward(Arranged(pixels)).Pad([0, 1, 0, 1]);                           // [B, C, H / 2 + 1, W / 2 + 1]
        var filtered = _stem[2].Forward(_stem[1].Forward(x).Pad([0, 1, 0, 1]));                 // [B, C, H / 2, W / 2]
        x = TensorShapes.Concat([x.MaxPool(2, 1, roundsUp: true), filtered], 1);                // [B, 2 C, H / 2, W / 2]
        x = _stem[4].Forward(_stem[3].Forward(x));                                              // [B, C, H / 4, W / 4]
        trace?.AddHiddenState(x);
        foreach (var (downsampling, blocks) in _stages)
        {
            x = downsampling?.Forward(x) ?? x;
            x = Through(x, blocks, (block, plane) => block.Forward(plane));                     // [B, C, H', W']
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return GlobalPooling.Mean(x).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _options.InitializerRange);

    private HgNetV2Unit Stem(string name, int inputs, int outputs, int side, int stride) => Add("embedder." + name, new HgNetV2Unit(
        inputs, outputs, ConvolutionOptions.Centered(side, stride), Activation.Named(_options.Activation), _options.HasAffine));
}

/// <summary>A convolution, its batch norm and an activation, whose result is scaled and shifted by two learned numbers where the configuration has it so.</summary>
/// <remarks>Source: transformers <c>HGNetV2ConvLayer</c>. Parity: 1e-6.</remarks>
internal sealed class HgNetV2Unit : Layer
{
    private readonly ConvolutionUnit _unit;
    private readonly ParameterSlot? _scale;
    private readonly ParameterSlot? _bias;

    public HgNetV2Unit(int inputs, int outputs, ConvolutionOptions options, Func<Tensor, Tensor>? activation, bool hasAffine)
        : base(nameof(HgNetV2Unit))
    {
        _unit = ConvolutionUnit.Add(this, ("convolution", "normalization"), inputs, outputs, options, activation);
        _scale = hasAffine ? AddParameter("lab.scale", 1) : null;
        _bias = hasAffine ? AddParameter("lab.bias", 1) : null;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _unit.Forward(input);                                                           // [B, C', H', W']
        return (_scale is { } scale && _bias is { } bias ? scale.Value.Times(x).Plus(bias.Value) : x).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_scale?.Value, 1);
        WeightInitialization.Fill(_bias?.Value, 0);
    }
}

/// <summary>One block of an HGNet V2: a row of convolutions whose results are all joined and squeezed, beside a shortcut in all but the first of a stage.</summary>
/// <remarks>Source: transformers <c>HGNetV2BasicLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class HgNetV2Block : Layer
{
    private readonly List<List<HgNetV2Unit>> _layers = [];
    private readonly HgNetV2Unit _squeeze;
    private readonly HgNetV2Unit _excite;
    private readonly bool _isResidual;

    public HgNetV2Block(HgNetV2Options options, int stage, int inputs, bool isResidual)
        : base(nameof(HgNetV2Block))
    {
        _isResidual = isResidual;
        var (middle, outputs, side, affine) = (options.Middles[stage], options.Outputs[stage], options.Kernels[stage], options.HasAffine);

        // Inside a block the reference leaves the activation at its default, whatever the configuration says.
        var relu = Activation.Named("relu");
        for (var i = 0; i < options.LayerCounts[stage]; i++)
        {
            var from = i == 0 ? inputs : middle;
            _layers.Add(options.IsLight[stage]
                ?
                [
                    Add($"layers.{i}.conv1", new HgNetV2Unit(from, middle, new ConvolutionOptions(1), activation: null, hasAffine: false)),
                    Add($"layers.{i}.conv2", new HgNetV2Unit(middle, middle, ConvolutionOptions.Centered(side, groups: middle), relu, affine)),
                ]
                : [Add($"layers.{i}", new HgNetV2Unit(from, middle, ConvolutionOptions.Centered(side), relu, affine))]);
        }

        var joined = inputs + options.LayerCounts[stage] * middle;
        _squeeze = Add("aggregation.0", new HgNetV2Unit(joined, outputs / 2, new ConvolutionOptions(1), relu, affine));
        _excite = Add("aggregation.1", new HgNetV2Unit(outputs / 2, outputs, new ConvolutionOptions(1), relu, affine));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H, W]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var (x, parts) = (input, new List<Tensor> { input });
        foreach (var layer in _layers)
        {
            foreach (var unit in layer)
            {
                x = unit.Forward(x);
            }

            parts.Add(x);
        }

        x = _excite.Forward(_squeeze.Forward(TensorShapes.Concat(parts, 1)));                   // [B, C', H, W]
        return (_isResidual ? x.Plus(input) : x).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of an HGNet V2's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>HGNetV2Config</c>; the defaults are its own.</remarks>
internal sealed record HgNetV2Options
{
    private const int StemWidthCount = 3;
    private const int StemStrideCount = 5;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind, or the numbers of stages differ.</exception>
    public HgNetV2Options(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        Activation = configuration.Text("hidden_act", "relu");
        StemWidths = configuration.WholeNumbers("stem_channels", 3, 32, 48);
        StemStrides = configuration.WholeNumbers("stem_strides", 2, 1, 1, 2, 1);
        Inputs = configuration.WholeNumbers("stage_in_channels", 48, 128, 512, 1024);
        Middles = configuration.WholeNumbers("stage_mid_channels", 48, 96, 192, 384);
        Outputs = configuration.WholeNumbers("stage_out_channels", 128, 512, 1024, 2048);
        Repeats = configuration.WholeNumbers("stage_num_blocks", 1, 1, 3, 1);
        Shrinks = configuration.Flags("stage_downsample", false, true, true, true);
        Strides = configuration.WholeNumbers("stage_downsample_strides", 2, 2, 2, 2);
        IsLight = configuration.Flags("stage_light_block", false, false, true, true);
        Kernels = configuration.WholeNumbers("stage_kernel_size", 3, 3, 5, 5);
        LayerCounts = configuration.WholeNumbers("stage_numb_of_layers", 6, 6, 6, 6);
        HasAffine = configuration.Flag("use_learnable_affine_block", false);
        InitializerRange = configuration.Number("initializer_range", 0.02);
        OptionChecks.Stages(
            ("stage_in_channels", Inputs), ("stage_mid_channels", Middles), ("stage_out_channels", Outputs), ("stage_num_blocks", Repeats),
            ("stage_downsample_strides", Strides), ("stage_kernel_size", Kernels), ("stage_numb_of_layers", LayerCounts));
        if (Shrinks.Count != Inputs.Count || IsLight.Count != Inputs.Count)
        {
            throw new ModelLoadException(
                $"stage_downsample has {Shrinks.Count}, stage_light_block {IsLight.Count} and stage_in_channels {Inputs.Count} entries; expected as many of each.");
        }

        if (StemWidths.Count != StemWidthCount || StemStrides.Count != StemStrideCount)
        {
            throw new ModelLoadException(
                $"stem_channels has {StemWidths.Count} and stem_strides {StemStrides.Count} entries; expected {StemWidthCount} and {StemStrideCount}.");
        }

        if (configuration.WholeNumbers("hidden_sizes", 256, 512, 1024, 2048) is [.., var last] && last != Outputs[^1])
        {
            throw new ModelLoadException($"hidden_sizes ends with {last}, but stage_out_channels with {Outputs[^1]}; expected the same width for the head.");
        }
    }

    public int Channels { get; }

    public string Activation { get; }

    public IReadOnlyList<int> StemWidths { get; }

    public IReadOnlyList<int> StemStrides { get; }

    public IReadOnlyList<int> Inputs { get; }

    public IReadOnlyList<int> Middles { get; }

    public IReadOnlyList<int> Outputs { get; }

    public IReadOnlyList<int> Repeats { get; }

    public IReadOnlyList<bool> Shrinks { get; }

    public IReadOnlyList<int> Strides { get; }

    public IReadOnlyList<bool> IsLight { get; }

    public IReadOnlyList<int> Kernels { get; }

    public IReadOnlyList<int> LayerCounts { get; }

    public bool HasAffine { get; }

    public double InitializerRange { get; }
}
