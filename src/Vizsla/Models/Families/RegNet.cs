using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>RegNet, X and Y, with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>RegNetForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class RegNetNetwork : TransformersNetwork
{
    public const string ModelType = "regnet";
    public const string Name = "RegNetForImageClassification";

    private readonly RegNetOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<List<RegNetBlock>> _stages = [];

    public RegNetNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "regnet.")
    {
        _options = new RegNetOptions(configuration);
        _stem = ConvolutionUnit.Add(
            this, ResNetBlock.NamesOf("regnet.embedder.embedder"), _options.Channels, _options.StemWidth, ConvolutionOptions.Centered(3, 2), Activation.Named(_options.Activation));
        var width = _options.StemWidth;
        for (var stage = 0; stage < _options.Widths.Count; stage++)
        {
            var blocks = new List<RegNetBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                var stride = i == 0 && (stage > 0 || _options.ShrinksInFirstStage) ? 2 : 1;
                blocks.Add(Add($"regnet.encoder.stages.{stage}.layers.{i}", new RegNetBlock(_options, width, _options.Widths[stage], stride)));
                width = _options.Widths[stage];
            }

            _stages.Add(blocks);
        }

        AddHead("classifier.1", width);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            x = Through(x, stage, (block, plane) => block.Forward(plane));                      // [B, C, H, W]
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return GlobalPooling.Mean(x).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Convolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
            case Dense dense:
                WeightInitialization.ResetLikeTorch(dense.Weight, dense.Bias);
                break;
        }
    }
}

/// <summary>One block of a RegNet: a grouped convolution between two of single places, in Y with its channels weighed, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>RegNetXLayer</c>, <c>RegNetYLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class RegNetBlock : Layer
{
    private const double SqueezeShare = 0.25;

    private readonly ConvolutionUnit? _shortcut;
    private readonly ConvolutionUnit _first;
    private readonly ConvolutionUnit _grouped;
    private readonly SqueezeExcitation? _squeeze;
    private readonly ConvolutionUnit _last;
    private readonly Func<Tensor, Tensor> _activation;

    public RegNetBlock(RegNetOptions options, int inputs, int outputs, int stride)
        : base(nameof(RegNetBlock))
    {
        _activation = Activation.Named(options.Activation);
        if (inputs != outputs || stride != 1)
        {
            _shortcut = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("shortcut"), inputs, outputs, ConvolutionOptions.Centered(1, stride), activation: null);
        }

        var groups = Math.Max(1, outputs / options.GroupWidth);
        if (outputs % groups != 0)
        {
            throw new ModelLoadException($"hidden_sizes has {outputs}, which {groups} groups of groups_width {options.GroupWidth} do not divide; change one of them.");
        }

        _first = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("layer.0"), inputs, outputs, new ConvolutionOptions(1), _activation);
        _grouped = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("layer.1"), outputs, outputs, ConvolutionOptions.Centered(3, stride, groups), _activation);
        if (options.HasSqueeze)
        {
            var reduced = (int)Math.Round(inputs * SqueezeShare, MidpointRounding.ToEven);
            _squeeze = Add("layer.2", new SqueezeExcitation(outputs, reduced, Activation.Named("relu"), ("attention.0", "attention.2")));
        }

        _last = ConvolutionUnit.Add(this, ResNetBlock.NamesOf(options.HasSqueeze ? "layer.3" : "layer.2"), outputs, outputs, new ConvolutionOptions(1), activation: null);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _grouped.Forward(_first.Forward(input));                                        // [B, C', H', W']
        x = _last.Forward(_squeeze?.Forward(x) ?? x);                                           // [B, C', H', W']
        return Activation.Overwrite(_activation, x.Plus_(_shortcut?.Forward(input) ?? input)).MoveToOuterDisposeScope();
    }
}

/// <summary>The keys of a RegNet's <c>config.json</c> in transformers.</summary>
/// <remarks>Source: transformers <c>RegNetConfig</c>; the defaults are its own.</remarks>
internal sealed record RegNetOptions
{
    private static readonly string[] _layerTypes = ["x", "y"];

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or not known, or the numbers of stages differ.</exception>
    public RegNetOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        StemWidth = configuration.WholeNumber("embedding_size", 32);
        Widths = configuration.WholeNumbers("hidden_sizes", 128, 192, 512, 1088);
        Depths = configuration.WholeNumbers("depths", 2, 6, 12, 2);
        GroupWidth = configuration.WholeNumber("groups_width", 64);
        HasSqueeze = configuration.OneOf("layer_type", "y", _layerTypes) == "y";
        Activation = configuration.Text("hidden_act", "relu");
        ShrinksInFirstStage = configuration.Flag("downsample_in_first_stage", true);
        OptionChecks.Stages(("hidden_sizes", Widths), ("depths", Depths));
        OptionChecks.Positive(("groups_width", GroupWidth), ("embedding_size", StemWidth));
    }

    public int Channels { get; }

    public int StemWidth { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> Depths { get; }

    public int GroupWidth { get; }

    public bool HasSqueeze { get; }

    public string Activation { get; }

    public bool ShrinksInFirstStage { get; }
}
