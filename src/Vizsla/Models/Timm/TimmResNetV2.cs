using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's ResNet V2 and BiT: norms before convolutions.</summary>
/// <remarks>Source: timm <c>ResNetV2</c>. Parity: 1e-4.</remarks>
internal sealed class TimmResNetV2Network : TimmNetwork
{
    private readonly TimmResNetV2Trunk _trunk;
    private readonly TensorLayer _norm;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly TimmPooling _pooling;

    public TimmResNetV2Network(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var shape = TimmResNetV2Shape.From(arguments);
        _trunk = new TimmResNetV2Trunk(this, "", shape, Options);
        _norm = Add("norm", shape.Style.MakeNorm(_trunk.Outputs));
        _activation = shape.Style.Function;
        Classifier = Add(HeadName, new Convolution(_trunk.Outputs * _pooling.Multiplier, Options.ClassCount, new ConvolutionOptions(1)));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var plane = _activation(_norm.Forward(_trunk.Forward(Arranged(pixels), trace)));        // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return _pooling.Apply(plane).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        const double HeadDeviation = 0.01;
        switch (layer)
        {
            case Convolution head when layer == Classifier:
                WeightInitialization.Normal(head.Weight, HeadDeviation);
                WeightInitialization.Fill(head.Bias, 0);
                break;
            case Convolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
            case StandardizedConvolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
        }
    }
}

/// <summary>Everything of a ResNet V2 before its last norm, registered below a module; also what cuts the patches of a hybrid Vision Transformer.</summary>
internal sealed class TimmResNetV2Trunk
{
    private readonly TimmResNetV2Shape _shape;
    private readonly List<Func<Tensor, Tensor>> _stem = [];
    private readonly List<List<TimmResNetV2Block>> _stages = [];

    /// <param name="owner">The module.</param>
    /// <param name="prefix">What the names begin with.</param>
    /// <param name="shape">How it is built.</param>
    /// <param name="options">Channels of the pictures and drop path.</param>
    /// <param name="isStemAlone">Whether there are no stages and the stem's parts have no name of their own.</param>
    public TimmResNetV2Trunk(nn.Module owner, string prefix, TimmResNetV2Shape shape, TimmOptions options, bool isStemAlone = false)
    {
        _shape = shape;
        Outputs = TimmRounding.ToMultiple(TimmResNetV2Shape.StemWidth * shape.WidthFactor);
        AddStem(owner, isStemAlone ? prefix : prefix + "stem.", options.Channels);
        var rates = new Queue<double>(StochasticDepth.Rising(options.DropPath, shape.Depths.Sum()));
        for (var stage = 0; stage < shape.Depths.Count; stage++)
        {
            var outputs = TimmRounding.ToMultiple(shape.Widths[stage] * shape.WidthFactor);
            var blocks = new List<TimmResNetV2Block>();
            for (var i = 0; i < shape.Depths[stage]; i++)
            {
                var stride = stage > 0 && i == 0 ? 2 : 1;
                blocks.Add(ModuleTree.Add(
                    owner, $"{prefix}stages.{stage}.blocks.{i}", new TimmResNetV2Block(shape, (Outputs, outputs), stride, i == 0, rates.Dequeue())));
                Outputs = outputs;
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
        foreach (var layer in _stem)
        {
            x = layer(x);                                                                       // [B, C, H / 4, W / 4] at the end
        }

        foreach (var stage in _stages)
        {
            x = TimmNetwork.Through(stage, x);
            trace?.AddHiddenState(x);
        }

        return x.MoveToOuterDisposeScope();
    }

    private void AddStem(nn.Module owner, string prefix, int channels)
    {
        var width = Outputs;
        if (_shape.Stem.Contains("deep", StringComparison.Ordinal) || _shape.Stem.Contains("tiered", StringComparison.Ordinal))
        {
            var first = _shape.Stem.Contains("tiered", StringComparison.Ordinal) ? 3 * width / 8 : width / 2;
            AddConvolution(owner, prefix + "conv1", channels, first, 3, 2);
            AddNorm(owner, prefix + "norm1", first);
            AddConvolution(owner, prefix + "conv2", first, width / 2, 3, 1);
            AddNorm(owner, prefix + "norm2", width / 2);
            AddConvolution(owner, prefix + "conv3", width / 2, width, 3, 1);
            if (!_shape.NormsFirst)
            {
                AddNorm(owner, prefix + "norm3", width);
            }
        }
        else
        {
            AddConvolution(owner, prefix + "conv", channels, width, 7, 2);
            if (!_shape.NormsFirst)
            {
                AddNorm(owner, prefix + "norm", width);
            }
        }

        _stem.Add(_shape.Stem switch
        {
            "same" => x => SamePadded(x).MaxPool(3, 2),
            _ when _shape.Stem.Contains("fixed", StringComparison.Ordinal) => x => x.Pad([1, 1, 1, 1]).MaxPool(3, 2),
            _ => x => x.MaxPool(3, 2, 1),
        });
    }

    private static Tensor SamePadded(Tensor x)
    {
        var (top, bottom) = SamePadding.Sides(x.shape[2], 3, 2);
        var (left, right) = SamePadding.Sides(x.shape[3], 3, 2);
        return x.Pad([left, right, top, bottom], double.NegativeInfinity);
    }

    private void AddConvolution(nn.Module owner, string name, int inputs, int outputs, int kernel, int stride)
    {
        var convolution = ModuleTree.Add(owner, name, _shape.MakeConvolution(inputs, outputs, kernel, stride));
        _stem.Add(convolution.Forward);
    }

    private void AddNorm(nn.Module owner, string name, int channels)
    {
        var (norm, function) = (ModuleTree.Add(owner, name, _shape.Style.MakeNorm(channels)), _shape.Style.Function);
        _stem.Add(x => function(norm.Forward(x)));
    }
}

/// <summary>What all blocks of a ResNet V2 share.</summary>
/// <param name="Style">Activation and norm.</param>
/// <param name="StandardizingEpsilon">Epsilon of weights that are standardized; null for plain convolutions.</param>
/// <param name="Depths">Blocks of each stage.</param>
/// <param name="Widths">Channels of each stage.</param>
/// <param name="WidthFactor">Factor of all channels.</param>
/// <param name="Stem">timm's name of the stem.</param>
/// <param name="IsBasic">Whether blocks have two wide convolutions.</param>
/// <param name="InnerShare">Width of a block inside, as a share of its output.</param>
/// <param name="HasMeanShortcut">Whether shortcuts that shrink the plane take means before a convolution of single places.</param>
/// <param name="NormsFirst">Whether norms come before convolutions.</param>
internal sealed record TimmResNetV2Shape(
    TimmStyle Style, double? StandardizingEpsilon, IReadOnlyList<int> Depths, IReadOnlyList<int> Widths, int WidthFactor, string Stem, bool IsBasic, double InnerShare, bool HasMeanShortcut, bool NormsFirst)
{
    private const double DefaultEpsilon = 1e-6;

    /// <summary>Channels behind the stem where nothing widens it.</summary>
    public const int StemWidth = 64;

    public static TimmResNetV2Shape From(ModelConfiguration arguments)
    {
        var convolution = TimmSpec.Parse(arguments.Text("conv_layer", "StdConv2d"));
        return new TimmResNetV2Shape(
            new TimmStyle("relu", arguments.Text("norm_layer", "GroupNormAct")),
            convolution.Name == "create_conv2d" ? null : convolution.Number("eps", DefaultEpsilon),
            arguments.WholeNumbers("layers"),
            arguments.WholeNumbers("channels", 256, 512, 1024, 2048),
            arguments.WholeNumber("width_factor", 1),
            arguments.Text("stem_type", ""),
            arguments.Flag("basic", false),
            arguments.Number("bottle_ratio", 0.25),
            arguments.Flag("avg_down", false),
            NormsFirst: true);
    }

    /// <summary>The backbone of a hybrid Vision Transformer: norms after convolutions, planes padded as TensorFlow does.</summary>
    /// <param name="depths">Blocks of each stage; none for the stem alone.</param>
    public static TimmResNetV2Shape Hybrid(IReadOnlyList<int> depths) => new(
        new TimmStyle("relu", "GroupNormAct", IsSamePadded: true), 1e-8, depths, [256, 512, 1024, 2048], 1, "same", IsBasic: false, 0.25, HasMeanShortcut: false, NormsFirst: false);

    /// <summary>A convolution without bias.</summary>
    public TensorLayer MakeConvolution(int inputs, int outputs, int kernel, int stride = 1) => StandardizingEpsilon is { } epsilon
        ? new StandardizedConvolution(inputs, outputs, Style.Convolution(kernel, stride), epsilon)
        : new Convolution(inputs, outputs, Style.Convolution(kernel, stride));
}

/// <summary>One block: norms, activations and convolutions, beside a shortcut.</summary>
/// <remarks>Source: timm <c>PreActBasic</c>, <c>PreActBottleneck</c>, <c>Bottleneck</c> of <c>resnetv2.py</c>. Parity: 1e-5.</remarks>
internal sealed class TimmResNetV2Block : TensorLayer
{
    private readonly TimmResNetV2Shape _shape;
    private readonly List<(TensorLayer Norm, TensorLayer Convolution)> _steps = [];
    private readonly TensorLayer? _shortcut;
    private readonly TensorLayer? _shortcutNorm;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly int _stride;
    private readonly double _dropPath;

    /// <param name="shape">What all blocks of the network share.</param>
    /// <param name="channels">Channels of input and output.</param>
    /// <param name="stride">Step of the convolution that shrinks the plane.</param>
    /// <param name="isFirst">Whether it is the first of its stage, whose shortcut has a convolution.</param>
    /// <param name="dropPath">Share of the pictures for which the branch is left out, in training.</param>
    public TimmResNetV2Block(TimmResNetV2Shape shape, (int Inputs, int Outputs) channels, int stride, bool isFirst, double dropPath)
        : base(nameof(TimmResNetV2Block))
    {
        (_shape, _stride, _dropPath, _activation) = (shape, stride, dropPath, shape.Style.Function);
        var (inputs, outputs) = channels;
        if (isFirst && (!shape.IsBasic || stride != 1 || inputs != outputs))
        {
            _shortcut = Add("downsample.conv", shape.MakeConvolution(inputs, outputs, 1, shape.HasMeanShortcut ? 1 : stride));
            _shortcutNorm = shape.NormsFirst ? null : Add("downsample.norm", shape.Style.MakeNorm(outputs));
        }

        var width = TimmRounding.ToMultiple(outputs * shape.InnerShare);
        if (shape.IsBasic)
        {
            AddStep(inputs, width, 3, stride);
            AddStep(width, outputs, 3);
        }
        else
        {
            AddStep(inputs, width, 1);
            AddStep(width, width, 3, stride);
            AddStep(width, outputs, 1);
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (_shape.NormsFirst ? NormsFirst(input) : NormsLast(input)).MoveToOuterDisposeScope();
    }

    private Tensor NormsFirst(Tensor input)
    {
        var first = _activation(_steps[0].Norm.Forward(input));
        var x = _steps[0].Convolution.Forward(first);
        foreach (var (norm, convolution) in _steps.Skip(1))
        {
            x = convolution.Forward(_activation(norm.Forward(x)));
        }

        return StochasticDepth.Apply(x, _dropPath, training).Plus(_shortcut is null ? input : Shortcut(first));
    }

    private Tensor NormsLast(Tensor input)
    {
        var x = input;
        for (var i = 0; i < _steps.Count; i++)
        {
            x = _steps[i].Norm.Forward(_steps[i].Convolution.Forward(x));
            x = i == _steps.Count - 1 ? x : _activation(x);
        }

        var shortcut = _shortcut is null ? input : _shortcutNorm!.Forward(Shortcut(input));
        return _activation(StochasticDepth.Apply(x, _dropPath, training).Plus(shortcut));
    }

    private Tensor Shortcut(Tensor x) =>
        _shortcut!.Forward(_shape.HasMeanShortcut && _stride > 1 ? x.AveragePool(2, 2, countsPadding: false, roundsUp: true) : x);

    private void AddStep(int inputs, int outputs, int kernel, int stride = 1)
    {
        var number = _steps.Count + 1;
        if (_shape.NormsFirst)
        {
            var norm = Add($"norm{number}", _shape.Style.MakeNorm(inputs));
            _steps.Add((norm, Add($"conv{number}", _shape.MakeConvolution(inputs, outputs, kernel, stride))));
        }
        else
        {
            var convolution = Add($"conv{number}", _shape.MakeConvolution(inputs, outputs, kernel, stride));
            _steps.Add((Add($"norm{number}", _shape.Style.MakeNorm(outputs)), convolution));
        }
    }
}
