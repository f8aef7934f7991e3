using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's PP-HGNet and HGNet V2.</summary>
/// <remarks>Source: timm <c>HighPerfGpuNet</c>. Parity: 1e-4.</remarks>
internal sealed class TimmHgNetNetwork : TimmNetwork
{
    private const int HiddenWidth = 2048;

    private readonly List<TimmHgUnit> _stem = [];
    private readonly bool _hasForkedStem;
    private readonly List<List<TensorLayer>> _stages = [];
    private readonly Convolution _hidden;
    private readonly TimmAffine? _hiddenAffine;
    private readonly TimmPooling _pooling;

    public TimmHgNetNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var isAffine = arguments.Flag("use_lab", false);
        _hasForkedStem = arguments.Text("stem_type", "") == "v2";
        AddStem(arguments.WholeNumbers("stem_chs"), isAffine);
        var stages = Enumerable.Range(1, 4).Select(i => arguments.Json[$"stage{i}"]!.AsArray()).ToList();
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, stages.Sum(s => (int)s[3]!)));
        var channels = 0;
        foreach (var (index, stage) in stages.Index())
        {
            var (inputs, width, outputs) = ((int)stage[0]!, (int)stage[1]!, (int)stage[2]!);
            var layers = new List<TensorLayer>();
            if ((bool)stage[4]!)
            {
                layers.Add(Add($"stages.{index}.downsample", new TimmHgUnit(inputs, inputs, 3, 2, inputs, isActivated: false, isAffine: false)));
            }

            var shape = new TimmHgShape(width, outputs, (int)stage[7]!, (int)stage[6]!, (bool)stage[5]!, isAffine, _hasForkedStem);
            for (var i = 0; i < (int)stage[3]!; i++)
            {
                layers.Add(Add($"stages.{index}.blocks.{i}", new TimmHgBlock(shape, i == 0 ? inputs : outputs, hasShortcut: i > 0, rates.Dequeue())));
            }

            _stages.Add(layers);
            channels = outputs;
        }

        _hidden = Add("head.last_conv.0", new Convolution(channels, HiddenWidth, new ConvolutionOptions(1) { HasBias = false }));
        _hiddenAffine = isAffine ? Add("head.last_conv.2", new TimmAffine()) : null;
        Classifier = Add(HeadName, new Dense(HiddenWidth, Options.ClassCount));
    }

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = _hasForkedStem ? ForkedStem(Arranged(pixels)) : Through(_stem, Arranged(pixels)).MaxPool(3, 2, 1);
        foreach (var stage in _stages)
        {
            x = Through(stage, x);
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        var hidden = _hidden.Forward(_pooling.Apply(x).Unsqueeze(-1).Unsqueeze(-1)).Relu();     // [B, F, 1, 1]
        return (_hiddenAffine?.Forward(hidden) ?? hidden).Flatten(1).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Convolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
            case Dense dense:
                WeightInitialization.Fill(dense.Bias, 0);
                break;
        }
    }

    private void AddStem(IReadOnlyList<int> widths, bool isAffine)
    {
        void AddUnit(string name, int inputs, int outputs, int kernel, int stride) =>
            _stem.Add(Add("stem." + name, new TimmHgUnit(inputs, outputs, kernel, stride, 1, isActivated: true, isAffine)));

        if (!_hasForkedStem)
        {
            for (var i = 0; i < widths.Count; i++)
            {
                AddUnit($"stem.{i}", i == 0 ? Options.Channels : widths[i - 1], widths[i], 3, i == 0 ? 2 : 1);
            }

            return;
        }

        var (middle, outputs) = (widths[0], widths[1]);
        AddUnit("stem1", Options.Channels, middle, 3, 2);
        AddUnit("stem2a", middle, middle / 2, 2, 1);
        AddUnit("stem2b", middle / 2, middle, 2, 1);
        AddUnit("stem3", 2 * middle, middle, 3, 2);
        AddUnit("stem4", middle, outputs, 1, 1);
    }

    private Tensor ForkedStem(Tensor pixels)
    {
        var x = _stem[0].Forward(pixels).Pad([0, 1, 0, 1]);                                     // [B, C, H / 2 + 1, W / 2 + 1]
        var left = x.MaxPool(2, 1, roundsUp: true);
        var right = _stem[2].Forward(_stem[1].Forward(x).Pad([0, 1, 0, 1]));
        return _stem[4].Forward(_stem[3].Forward(TensorShapes.Concat([left, right], 1)));       // [B, C, H / 4, W / 4]
    }
}

/// <summary>What the blocks of a stage share.</summary>
/// <param name="Width">Channels of each layer.</param>
/// <param name="Outputs">Channels of the output.</param>
/// <param name="LayerCount">Layers of a block.</param>
/// <param name="Kernel">Side of their kernels.</param>
/// <param name="IsLight">Whether a layer is one of single places and one of each channel.</param>
/// <param name="IsAffine">Whether activations are scaled and shifted.</param>
/// <param name="NarrowsTwice">Whether two convolutions bring the layers together; otherwise one, and channels are weighed.</param>
internal sealed record TimmHgShape(int Width, int Outputs, int LayerCount, int Kernel, bool IsLight, bool IsAffine, bool NarrowsTwice);

/// <summary>A convolution with batch norm and activation, scaled and shifted where the network learns that.</summary>
/// <remarks>Source: timm <c>ConvBNAct</c> of <c>hgnet.py</c>. Parity: 1e-5.</remarks>
internal sealed class TimmHgUnit : TensorLayer
{
    private static readonly TimmStyle _style = new("relu");
    private readonly TimmUnit _unit;
    private readonly TimmAffine? _affine;

    public TimmHgUnit(int inputs, int outputs, int kernel, int stride, int groups, bool isActivated, bool isAffine)
        : base(nameof(TimmHgUnit))
    {
        _unit = _style.Unit(this, ("conv", "bn"), inputs, outputs, _style.Convolution(kernel, stride, groups), isActivated);
        _affine = isActivated && isAffine ? Add("lab", new TimmAffine()) : null;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H', W']; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _unit.Forward(input);
        return (_affine?.Forward(x) ?? x).MoveToOuterDisposeScope();
    }
}

/// <summary>One learned factor and one learned shift for a whole plane.</summary>
/// <remarks>Source: timm <c>LearnableAffineBlock</c>. Parity: exact.</remarks>
internal sealed class TimmAffine : TensorLayer
{
    private readonly ParameterSlot _scale;
    private readonly ParameterSlot _bias;

    public TimmAffine()
        : base(nameof(TimmAffine))
    {
        _scale = AddParameter("scale", 1);
        _bias = AddParameter("bias", 1);
        ResetParameters();
    }

    /// <param name="input">Float of any shape.</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return input.Times(_scale.Value).Plus(_bias.Value).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_scale.Value, 1);
        WeightInitialization.Fill(_bias.Value, 0);
    }
}

/// <summary>One block: layers one after the other, all of which are brought together at the end.</summary>
/// <remarks>Source: timm <c>HighPerfGpuBlock</c>. Parity: 1e-5.</remarks>
internal sealed class TimmHgBlock : TensorLayer
{
    private static readonly long[] _plane = [2, 3];
    private readonly List<List<TensorLayer>> _layers = [];
    private readonly List<TensorLayer> _together = [];
    private readonly Convolution? _weighing;
    private readonly bool _hasShortcut;
    private readonly double _dropPath;

    public TimmHgBlock(TimmHgShape shape, int inputs, bool hasShortcut, double dropPath)
        : base(nameof(TimmHgBlock))
    {
        (_hasShortcut, _dropPath) = (hasShortcut, dropPath);
        for (var i = 0; i < shape.LayerCount; i++)
        {
            var channels = i == 0 ? inputs : shape.Width;
            _layers.Add(shape.IsLight
                ?
                [
                    Add($"layers.{i}.conv1", new TimmHgUnit(channels, shape.Width, 1, 1, 1, isActivated: false, shape.IsAffine)),
                    Add($"layers.{i}.conv2", new TimmHgUnit(shape.Width, shape.Width, shape.Kernel, 1, shape.Width, isActivated: true, shape.IsAffine)),
                ]
                : [Add($"layers.{i}", new TimmHgUnit(channels, shape.Width, shape.Kernel, 1, 1, isActivated: true, shape.IsAffine))]);
        }

        var total = inputs + shape.LayerCount * shape.Width;
        var first = shape.NarrowsTwice ? shape.Outputs / 2 : shape.Outputs;
        _together.Add(Add("aggregation.0", new TimmHgUnit(total, first, 1, 1, 1, isActivated: true, shape.IsAffine)));
        if (shape.NarrowsTwice)
        {
            _together.Add(Add("aggregation.1", new TimmHgUnit(first, shape.Outputs, 1, 1, 1, isActivated: true, shape.IsAffine)));
        }
        else
        {
            _weighing = Add("aggregation.1.conv", new Convolution(shape.Outputs, shape.Outputs, new ConvolutionOptions(1)));
        }
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H, W]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var planes = new List<Tensor> { input };
        foreach (var layer in _layers)
        {
            planes.Add(layer.Aggregate(planes[^1], (x, part) => part.Forward(x)));
        }

        var together = TimmNetwork.Through(_together, TensorShapes.Concat(planes, 1));
        together = _weighing is null ? together : together.Times(_weighing.Forward(together.Mean(_plane, keepsAxes: true)).Sigmoid());
        return (_hasShortcut ? StochasticDepth.Apply(together, _dropPath, training).Plus(input) : together).MoveToOuterDisposeScope();
    }
}
