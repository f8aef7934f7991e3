using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's RegNet X, Y and V: widths from a line, blocks with groups of channels.</summary>
/// <remarks>Source: timm <c>RegNet</c>. Parity: 1e-4.</remarks>
internal sealed class TimmRegNetNetwork : TimmNetwork
{
    private readonly TensorLayer? _plainStem;
    private readonly TimmUnit? _stem;
    private readonly List<List<TimmRegNetBlock>> _stages = [];
    private readonly TimmUnit? _last;
    private readonly Func<Tensor, Tensor>? _lastFunction;
    private readonly TimmPooling _pooling;
    private readonly bool _startsAtZero;

    public TimmRegNetNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        _startsAtZero = arguments.Flag("zero_init_last", true);
        var shape = TimmRegNetShape.From(arguments);
        var channels = arguments.WholeNumber("stem_width", 32);
        if (shape.NormsFirst)
        {
            _plainStem = Add("stem", new Convolution(Options.Channels, channels, shape.Style.Convolution(3, 2)));
        }
        else
        {
            _stem = shape.Style.Unit(this, ("stem.conv", "stem.bn"), Options.Channels, channels, shape.Style.Convolution(3, 2));
        }

        var stages = TimmRegNetShape.Stages(arguments);
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, stages.Sum(s => s.Depth)));
        foreach (var (index, stage) in stages.Index())
        {
            var blocks = new List<TimmRegNetBlock>();
            for (var i = 0; i < stage.Depth; i++)
            {
                blocks.Add(Add($"s{index + 1}.b{i + 1}", new TimmRegNetBlock(shape, (channels, stage.Width), stage.GroupSize, i == 0 ? 2 : 1, rates.Dequeue())));
                channels = stage.Width;
            }

            _stages.Add(blocks);
        }

        if (arguments.WholeNumber("num_features", 0) is > 0 and var features)
        {
            _last = shape.Style.Unit(this, ("final_conv.conv", "final_conv.bn"), channels, features, shape.Style.Convolution(1));
            channels = features;
        }
        else if (shape.NormsFirst || shape.IsLinear)
        {
            _lastFunction = shape.Style.Function;
        }

        Classifier = Add(HeadName, new Dense(channels * _pooling.Multiplier, Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = Arranged(pixels);
        x = _stem?.Forward(x) ?? _plainStem!.Forward(x);                                        // [B, C, H / 2, W / 2]
        foreach (var stage in _stages)
        {
            x = Through(stage, x);
            trace?.AddHiddenState(x);
        }

        var plane = _last?.Forward(x) ?? _lastFunction?.Invoke(x) ?? x;                         // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return _pooling.Apply(plane).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        const double HeadDeviation = 0.01;
        switch (layer)
        {
            case Convolution convolution:
                var outputs = convolution.Weight.shape[0] * convolution.Options.Kernel.Height * convolution.Options.Kernel.Width;
                WeightInitialization.Normal(convolution.Weight, Math.Sqrt(2.0 / (outputs / convolution.Options.Groups)));
                WeightInitialization.Fill(convolution.Bias, 0);
                break;
            case Dense dense:
                WeightInitialization.Normal(dense.Weight, HeadDeviation);
                WeightInitialization.Fill(dense.Bias, 0);
                break;
            case TimmRegNetBlock { LastNorm: { } norm } when _startsAtZero:
                WeightInitialization.Fill(norm.get_parameter("weight"), 0);
                break;
        }
    }
}

/// <summary>What all blocks of a RegNet share.</summary>
/// <param name="Style">Activation and norm.</param>
/// <param name="InnerShare">Width of a block inside, as a share of its output.</param>
/// <param name="SqueezeRatio">Reduced channels of the squeeze, as a share of the block's input; 0 for none.</param>
/// <param name="Shortcut">timm's name of a shortcut that changes the shape; null where such blocks have none.</param>
/// <param name="IsLinear">Whether blocks end without activation.</param>
/// <param name="NormsFirst">Whether norms come before convolutions.</param>
internal sealed record TimmRegNetShape(TimmStyle Style, double InnerShare, double SqueezeRatio, string? Shortcut, bool IsLinear, bool NormsFirst)
{
    public static TimmRegNetShape From(ModelConfiguration arguments) => new(
        new TimmStyle(arguments.Text("act_layer", "relu")),
        arguments.Number("bottle_ratio", 1),
        arguments.Number("se_ratio", 0),
        arguments.Json.ContainsKey("downsample") ? arguments.TextOrNull("downsample") : "conv1x1",
        arguments.Flag("linear_out", false),
        arguments.Flag("preact", false));

    /// <summary>Width, blocks and channels of a group of each stage.</summary>
    /// <remarks>Source: timm <c>generate_regnet</c>, <c>adjust_widths_groups_comp</c>, in the single precision of torch.</remarks>
    public static IReadOnlyList<(int Width, int Depth, int GroupSize)> Stages(ModelConfiguration arguments)
    {
        const int Quantum = 8;
        var (start, slope, factor) = (arguments.WholeNumber("w0", 80), (float)arguments.Number("wa", 42.63), arguments.Number("wm", 2.66));
        var (group, ratio, least) = (arguments.WholeNumber("group_size", 24), arguments.Number("bottle_ratio", 1), arguments.Number("group_min_ratio", 0));
        var widths = Enumerable.Range(0, arguments.WholeNumber("depth", 21)).Select(i =>
        {
            var exponent = MathF.Round(MathF.Log((i * slope + start) / start) / (float)Math.Log(factor));
            return (int)(MathF.Round(start * MathF.Pow((float)factor, exponent) / Quantum) * Quantum);
        });
        return [.. widths.GroupBy(w => w).OrderBy(g => g.Key).Select(stage =>
        {
            var inner = (int)(stage.Key * ratio);
            var size = Math.Min(group, inner);
            inner = least > 0 ? TimmRounding.ToMultiple(inner, size, smallest: (int)least) : (int)Math.Round((double)inner / size, MidpointRounding.ToEven) * size;
            return ((int)(inner / ratio), stage.Count(), size);
        })];
    }
}

/// <summary>One block: a convolution over groups of channels between two of single places, beside a shortcut.</summary>
/// <remarks>Source: timm <c>Bottleneck</c>, <c>PreBottleneck</c> of <c>regnet.py</c>. Parity: 1e-5.</remarks>
internal sealed class TimmRegNetBlock : TensorLayer
{
    private readonly TimmRegNetShape _shape;
    private readonly List<TimmUnit> _units = [];
    private readonly List<(TensorLayer Norm, TensorLayer Convolution)> _steps = [];
    private readonly TensorLayer? _squeeze;
    private readonly TimmUnit? _shortcut;
    private readonly TensorLayer? _plainShortcut;
    private readonly bool _hasShortcut;
    private readonly int _stride;
    private readonly double _dropPath;

    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="channels">Channels of input and output.</param>
    /// <param name="groupSize">Channels of a group.</param>
    /// <param name="stride">Step of the convolution that shrinks the plane.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public TimmRegNetBlock(TimmRegNetShape shape, (int Inputs, int Outputs) channels, int groupSize, int stride, double dropPath)
        : base(nameof(TimmRegNetBlock))
    {
        (_shape, _stride, _dropPath) = (shape, stride, dropPath);
        var (inputs, outputs) = channels;
        var width = (int)Math.Round(outputs * shape.InnerShare, MidpointRounding.ToEven);
        var style = shape.Style;
        AddStep(1, inputs, width, style.Convolution(1));
        AddStep(2, width, width, style.Convolution(3, stride, width / groupSize));
        var reduced = (int)Math.Round(inputs * shape.SqueezeRatio, MidpointRounding.ToEven);
        _squeeze = shape.SqueezeRatio > 0 ? Add("se", new TimmSqueeze(width, reduced, (style.Activation, "sigmoid"), ("fc1", "fc2"))) : null;
        AddStep(3, width, outputs, style.Convolution(1));

        var changes = inputs != outputs || stride != 1;
        _hasShortcut = !changes || !string.IsNullOrEmpty(shape.Shortcut);
        if (changes && _hasShortcut)
        {
            var isMean = shape.Shortcut == "avg";
            var (name, options) = (isMean ? "downsample.1" : "downsample", style.Convolution(1, isMean ? 1 : stride));
            if (shape.NormsFirst)
            {
                _plainShortcut = Add(name, new Convolution(inputs, outputs, options));
            }
            else
            {
                _shortcut = style.Unit(this, ($"{name}.conv", $"{name}.bn"), inputs, outputs, options, isActivated: false);
            }
        }
    }

    /// <summary>The norm before the shortcut; null where norms come first.</summary>
    public TensorLayer? LastNorm => _shape.NormsFirst ? null : _units[^1].Norm;

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var function = _shape.Style.Function;
        var (x, shortcut) = (input, input);
        for (var i = 0; i < 3; i++)
        {
            x = i == 2 && _squeeze is not null ? _squeeze.Forward(x) : x;
            if (!_shape.NormsFirst)
            {
                x = _units[i].Forward(x);
                continue;
            }

            x = function(_steps[i].Norm.Forward(x));
            shortcut = i == 0 ? x : shortcut;
            x = _steps[i].Convolution.Forward(x);
        }

        x = _hasShortcut ? StochasticDepth.Apply(x, _dropPath, training).Plus(Shortcut(shortcut)) : x;
        return (_shape.NormsFirst || _shape.IsLinear ? x : function(x)).MoveToOuterDisposeScope();
    }

    private Tensor Shortcut(Tensor x)
    {
        if (_shortcut is null && _plainShortcut is null)
        {
            return x;
        }

        var place = _shape.Shortcut == "avg" && _stride > 1 ? x.AveragePool(2, 2, countsPadding: false, roundsUp: true) : x;
        return _shortcut?.Forward(place) ?? _plainShortcut!.Forward(place);
    }

    private void AddStep(int number, int inputs, int outputs, ConvolutionOptions options)
    {
        if (_shape.NormsFirst)
        {
            var norm = Add($"norm{number}", _shape.Style.MakeNorm(inputs));
            _steps.Add((norm, Add($"conv{number}", new Convolution(inputs, outputs, options))));
        }
        else
        {
            _units.Add(_shape.Style.Unit(this, ($"conv{number}.conv", $"conv{number}.bn"), inputs, outputs, options, isActivated: number < 3));
        }
    }
}
