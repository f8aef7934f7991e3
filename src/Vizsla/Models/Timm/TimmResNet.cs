using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>timm's ResNet and what shares its blocks: ResNet-C to -T, ResNeXt, wide ResNet, SE-ResNet, ECA-ResNet, SENet, ResNet-RS, ResNet-AA and -blur.</summary>
/// <remarks>Source: timm <c>ResNet</c>; torchvision's names. Parity: 1e-4.</remarks>
internal sealed class TimmResNetNetwork : TimmNetwork
{
    private readonly TimmResNetTrunk _trunk;
    private readonly TimmPooling _pooling;

    public TimmResNetNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        _trunk = new TimmResNetTrunk(this, "", arguments, Options);
        Classifier = Add(HeadName, new Dense(_trunk.Outputs * _pooling.Multiplier, Options.ClassCount));
    }

    protected override string HeadName => "fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var plane = _trunk.Forward(Arranged(pixels), trace);                                    // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return _pooling.Apply(plane).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Convolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
            case TimmResNetBlock block:
                WeightInitialization.Fill(block.LastNorm.get_parameter("weight"), 0);
                break;
        }
    }
}

/// <summary>Everything of a ResNet before its pooling, registered below a module; also what cuts the patches of a hybrid Vision Transformer.</summary>
internal sealed class TimmResNetTrunk
{
    private const int StemKernel = 7;
    private const int StemWidth = 64;

    private readonly TimmResNetShape _shape;
    private readonly List<TimmUnit> _stem = [];
    private readonly TimmUnit? _stemPool;
    private readonly List<List<TimmResNetBlock>> _stages = [];

    /// <param name="owner">The module.</param>
    /// <param name="prefix">What the names begin with.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="options">Channels of the pictures and drop path.</param>
    /// <param name="stageCount">Stages that are built; null builds all.</param>
    public TimmResNetTrunk(nn.Module owner, string prefix, ModelConfiguration arguments, TimmOptions options, int? stageCount = null)
    {
        _shape = TimmResNetShape.From(arguments);
        Outputs = AddStem(owner, prefix, arguments, options.Channels);
        if (_shape.HasStemPool)
        {
            _stemPool = _shape.Style.Unit(owner, ($"{prefix}maxpool.0", $"{prefix}maxpool.1"), Outputs, Outputs, _shape.Style.Convolution(3, 2));
        }

        var depths = arguments.WholeNumbers("layers");
        var widths = arguments.WholeNumbers("channels", 64, 128, 256, 512);
        var rates = new Queue<double>(StochasticDepth.Rising(options.DropPath, depths.Sum()));
        for (var stage = 0; stage < Math.Min(depths.Count, stageCount ?? depths.Count); stage++)
        {
            var isBottleneck = _shape.Bottlenecks[stage % _shape.Bottlenecks.Length];
            var blocks = new List<TimmResNetBlock>();
            for (var i = 0; i < depths[stage]; i++)
            {
                var stride = stage > 0 && i == 0 ? 2 : 1;
                var block = new TimmResNetBlock(_shape, isBottleneck, (Outputs, widths[stage]), stride, rates.Dequeue());
                blocks.Add(ModuleTree.Add(owner, $"{prefix}layer{stage + 1}.{i}", block));
                Outputs = block.Outputs;
            }

            _stages.Add(blocks);
        }
    }

    /// <summary>Channels of the last plane.</summary>
    public int Outputs { get; private set; }

    /// <param name="pixels">Float [B, C, H, W].</param>
    /// <param name="trace">Takes the plane behind each stage; null keeps none.</param>
    /// <returns>Float [B, C', H / 32, W / 32]; the caller owns it.</returns>
    public Tensor Forward(Tensor pixels, NetworkTrace? trace)
    {
        using var scope = NewDisposeScope();
        var x = pixels;
        foreach (var unit in _stem)
        {
            x = unit.Forward(x);                                                                // [B, C, H / 2, W / 2]
        }

        x = PoolStem(x);                                                                        // [B, C, H / 4, W / 4]
        foreach (var stage in _stages)
        {
            x = TimmNetwork.Through(stage, x);
            trace?.AddHiddenState(x);
        }

        return x.MoveToOuterDisposeScope();
    }

    private int AddStem(nn.Module owner, string prefix, ModelConfiguration arguments, int inputs)
    {
        var (style, width, kind) = (_shape.Style, arguments.WholeNumber("stem_width", StemWidth), arguments.Text("stem_type", ""));
        if (!kind.StartsWith("deep", StringComparison.Ordinal))
        {
            _stem.Add(style.Unit(owner, ($"{prefix}conv1", $"{prefix}bn1"), inputs, StemWidth, style.Convolution(StemKernel, 2)));
            return StemWidth;
        }

        var first = kind == "deep_tiered" ? 3 * (width / 4) : width;
        _stem.Add(style.Unit(owner, ($"{prefix}conv1.0", $"{prefix}conv1.1"), inputs, first, style.Convolution(3, 2)));
        _stem.Add(style.Unit(owner, ($"{prefix}conv1.3", $"{prefix}conv1.4"), first, width, style.Convolution(3)));
        _stem.Add(style.Unit(owner, ($"{prefix}conv1.6", $"{prefix}bn1"), width, 2 * width, style.Convolution(3)));
        return 2 * width;
    }

    private Tensor PoolStem(Tensor x) => (_stemPool, _shape.Smoothing) switch
    {
        (not null, _) => _stemPool.Forward(x),
        (_, null) => x.MaxPool(3, 2, 1),
        (_, "AvgPool2d") => x.AveragePool(2, 2),
        _ => TimmSmoothing.Halve(_shape.Smoothing, x.MaxPool(3, 1, 1)),
    };
}

/// <summary>What all blocks of a ResNet share.</summary>
/// <param name="Style">Activation and norm.</param>
/// <param name="Bottlenecks">Of each stage, whether its blocks are narrow inside.</param>
/// <param name="Groups">Groups of the 3x3 convolution of a bottleneck.</param>
/// <param name="GroupWidth">Width of a group where the stage is 64 wide.</param>
/// <param name="ReduceFirst">How much narrower the first convolution is.</param>
/// <param name="ShortcutKernel">Kernel of a shortcut that shrinks the plane.</param>
/// <param name="HasMeanShortcut">Whether such a shortcut takes means before a convolution of single places.</param>
/// <param name="HasStemPool">Whether a convolution pools the stem.</param>
/// <param name="Attention">How channels are weighed; null for not at all.</param>
/// <param name="Smoothing">How planes are halved without aliasing; null for by strides.</param>
internal sealed record TimmResNetShape(
    TimmStyle Style, bool[] Bottlenecks, int Groups, int GroupWidth, int ReduceFirst, int ShortcutKernel, bool HasMeanShortcut, bool HasStemPool, string? Attention, string? Smoothing)
{
    public static TimmResNetShape From(ModelConfiguration arguments) => new(
        new TimmStyle("relu", arguments.Text("norm_layer", TimmStyle.BatchNorm)),
        arguments.Json["block"] is JsonArray several ? [.. several.Select(b => (string)b! == "Bottleneck")] : [arguments.Text("block", "") == "Bottleneck"],
        arguments.WholeNumber("cardinality", 1),
        arguments.WholeNumber("base_width", 64),
        arguments.WholeNumber("block_reduce_first", 1),
        arguments.WholeNumber("down_kernel_size", 1),
        arguments.Flag("avg_down", false),
        arguments.Flag("replace_stem_pool", false),
        (string?)arguments.Json["block_args"]?["attn_layer"],
        arguments.TextOrNull("aa_layer"));

    /// <summary>The layer that weighs channels; null where there is none.</summary>
    public TensorLayer? MakeAttention(int channels)
    {
        const double Ratio = 1.0 / 16;
        return Attention switch
        {
            null => null,
            "eca" => new TimmNeighbourSqueeze(channels),
            _ => TimmSqueeze.OfRatio(channels, TimmSpec.Parse(Attention).Number("rd_ratio", Ratio)),
        };
    }
}

/// <summary>One block: two wide convolutions, or a narrow one between two of single places, beside a shortcut.</summary>
/// <remarks>Source: timm <c>BasicBlock</c>, <c>Bottleneck</c>. Parity: 1e-5.</remarks>
internal sealed class TimmResNetBlock : TensorLayer
{
    private readonly TimmResNetShape _shape;
    private readonly List<TimmUnit> _units = [];
    private readonly int _smoothedUnit;
    private readonly TensorLayer? _attention;
    private readonly TimmUnit? _shortcut;
    private readonly int _stride;
    private readonly double _dropPath;

    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="isBottleneck">Whether the output is four times as wide as the inside.</param>
    /// <param name="channels">Channels of the input, and the stage's width.</param>
    /// <param name="stride">Step of the 3x3 convolution that shrinks the plane.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public TimmResNetBlock(TimmResNetShape shape, bool isBottleneck, (int Inputs, int Width) channels, int stride, double dropPath)
        : base(nameof(TimmResNetBlock))
    {
        const int Expansion = 4;
        const double Reference = 64;
        (_shape, _stride, _dropPath) = (shape, stride, dropPath);
        Outputs = isBottleneck ? Expansion * channels.Width : channels.Width;
        var convolutionStride = shape.Smoothing is null ? stride : 1;
        if (isBottleneck)
        {
            var width = (int)Math.Floor(channels.Width * (shape.GroupWidth / Reference)) * shape.Groups;
            var first = width / shape.ReduceFirst;
            AddUnit(channels.Inputs, first, shape.Style.Convolution(1));
            AddUnit(first, width, shape.Style.Convolution(3, convolutionStride, shape.Groups));
            AddUnit(width, Outputs, shape.Style.Convolution(1), isActivated: false);
            _smoothedUnit = 1;
        }
        else
        {
            var first = channels.Width / shape.ReduceFirst;
            AddUnit(channels.Inputs, first, shape.Style.Convolution(3, convolutionStride));
            AddUnit(first, Outputs, shape.Style.Convolution(3), isActivated: false);
        }

        _attention = shape.MakeAttention(Outputs) is { } attention ? Add("se", attention) : null;
        _shortcut = channels.Inputs != Outputs || stride != 1 ? MakeShortcut(channels.Inputs) : null;
    }

    /// <summary>Channels of the output.</summary>
    public int Outputs { get; }

    /// <summary>The norm before the shortcut, which starts at zero so that a new block passes its input on.</summary>
    public TensorLayer LastNorm => _units[^1].Norm;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        for (var i = 0; i < _units.Count; i++)
        {
            x = _units[i].Forward(x);
            if (i == _smoothedUnit && _stride > 1 && _shape.Smoothing is { } smoothing)
            {
                x = TimmSmoothing.Halve(smoothing, x);
            }
        }

        x = _attention?.Forward(x) ?? x;
        return StochasticDepth.Apply(x, _dropPath, training).Plus_(Shortcut(input)).Relu_().MoveToOuterDisposeScope();
    }

    private Tensor Shortcut(Tensor input)
    {
        if (_shortcut is null)
        {
            return input;
        }

        return _shortcut.Forward(_shape.HasMeanShortcut && _stride > 1 ? input.AveragePool(2, 2, countsPadding: false, roundsUp: true) : input);
    }

    private TimmUnit MakeShortcut(int inputs)
    {
        var (names, options) = _shape.HasMeanShortcut
            ? (("downsample.1", "downsample.2"), _shape.Style.Convolution(1))
            : (("downsample.0", "downsample.1"), _shape.Style.Convolution(_stride == 1 ? 1 : _shape.ShortcutKernel, _stride));
        return _shape.Style.Unit(this, names, inputs, Outputs, options, isActivated: false);
    }

    private void AddUnit(int inputs, int outputs, ConvolutionOptions options, bool isActivated = true)
    {
        var number = _units.Count + 1;
        _units.Add(_shape.Style.Unit(this, ($"conv{number}", $"bn{number}"), inputs, outputs, options, isActivated));
    }
}
