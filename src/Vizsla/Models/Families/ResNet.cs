using Vizsla.Models.Layers;
using Vizsla.Primitives;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>ResNet with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>ResNetForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class ResNetNetwork : TransformersNetwork
{
    public const string ModelType = "resnet";
    public const string Name = "ResNetForImageClassification";

    private const int StemKernel = 7;

    private readonly ResNetOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<List<ResNetBlock>> _stages = [];

    public ResNetNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "resnet.")
    {
        _options = new ResNetOptions(configuration);
        _stem = ConvolutionUnit.Add(
            this, ResNetBlock.NamesOf("resnet.embedder.embedder"), _options.Channels, _options.StemWidth, ConvolutionOptions.Centered(StemKernel, 2), Activation.Named(_options.Activation));
        var width = _options.StemWidth;
        for (var stage = 0; stage < _options.Widths.Count; stage++)
        {
            var stride = stage > 0 || _options.ShrinksInFirstStage ? 2 : 1;
            var blocks = new List<ResNetBlock>();
            for (var i = 0; i < _options.Depths[stage]; i++)
            {
                blocks.Add(Add($"resnet.encoder.stages.{stage}.layers.{i}", new ResNetBlock(_options, width, _options.Widths[stage], i == 0 ? stride : 1)));
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
        var x = _stem.Forward(Arranged(pixels)).MaxPool(3, 2, 1);                               // [B, C, H / 4, W / 4]
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

/// <summary>One block of a ResNet: two wide convolutions, or a narrow one between two of single places, beside a shortcut.</summary>
/// <remarks>Source: transformers <c>ResNetBasicLayer</c>, <c>ResNetBottleNeckLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class ResNetBlock : Layer
{
    private const int Reduction = 4;

    private readonly List<ConvolutionUnit> _units = [];
    private readonly ConvolutionUnit? _shortcut;
    private readonly Func<Tensor, Tensor> _activation;

    public ResNetBlock(ResNetOptions options, int inputs, int outputs, int stride)
        : base(nameof(ResNetBlock))
    {
        _activation = Activation.Named(options.Activation);
        if (inputs != outputs || stride != 1)
        {
            _shortcut = ConvolutionUnit.Add(this, NamesOf("shortcut"), inputs, outputs, ConvolutionOptions.Centered(1, stride), activation: null);
        }

        // Inside a block the reference leaves the activation at its default, whatever the configuration says.
        var inner = Activation.Named("relu");
        if (options.IsBottleneck)
        {
            var narrow = outputs / Reduction;
            var (first, second) = options.ShrinksInBottleneck ? (stride, 1) : (1, stride);
            AddUnit(inputs, narrow, 1, first, inner);
            AddUnit(narrow, narrow, 3, second, inner);
            AddUnit(narrow, outputs, 1, 1, activation: null);
        }
        else
        {
            AddUnit(inputs, outputs, 3, stride, inner);
            AddUnit(outputs, outputs, 3, 1, activation: null);
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var unit in _units)
        {
            x = unit.Forward(x);
        }

        var shortcut = _shortcut?.Forward(input) ?? input;
        return Activation.Overwrite(_activation, x.Plus_(shortcut)).MoveToOuterDisposeScope();
    }

    /// <summary>Names of a convolution and its batch norm below a path.</summary>
    internal static (string Convolution, string Norm) NamesOf(string path) => (path + ".convolution", path + ".normalization");

    private void AddUnit(int inputs, int outputs, int kernel, int stride, Func<Tensor, Tensor>? activation) =>
        _units.Add(ConvolutionUnit.Add(this, NamesOf($"layer.{_units.Count}"), inputs, outputs, ConvolutionOptions.Centered(kernel, stride), activation));
}

/// <summary>The keys of a ResNet's <c>config.json</c> in transformers.</summary>
/// <remarks>Source: transformers <c>ResNetConfig</c>; the defaults are its own.</remarks>
internal sealed record ResNetOptions
{
    private static readonly string[] _layerTypes = ["basic", "bottleneck"];

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or not known, or the numbers of stages differ.</exception>
    public ResNetOptions(ModelConfiguration configuration)
    {
        Channels = configuration.WholeNumber("num_channels", 3);
        StemWidth = configuration.WholeNumber("embedding_size", 64);
        Widths = configuration.WholeNumbers("hidden_sizes", 256, 512, 1024, 2048);
        Depths = configuration.WholeNumbers("depths", 3, 4, 6, 3);
        IsBottleneck = configuration.OneOf("layer_type", "bottleneck", _layerTypes) == "bottleneck";
        Activation = configuration.Text("hidden_act", "relu");
        ShrinksInFirstStage = configuration.Flag("downsample_in_first_stage", false);
        ShrinksInBottleneck = configuration.Flag("downsample_in_bottleneck", false);
        OptionChecks.Stages(("hidden_sizes", Widths), ("depths", Depths));
    }

    public int Channels { get; }

    public int StemWidth { get; }

    public IReadOnlyList<int> Widths { get; }

    public IReadOnlyList<int> Depths { get; }

    public bool IsBottleneck { get; }

    public string Activation { get; }

    public bool ShrinksInFirstStage { get; }

    public bool ShrinksInBottleneck { get; }
}
