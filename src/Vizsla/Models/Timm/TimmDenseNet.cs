using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, G channels that a layer adds, H height, W width.

/// <summary>timm's DenseNet: each layer sees the planes of all layers before it.</summary>
/// <remarks>Source: timm <c>DenseNet</c>; torchvision's names. Parity: 1e-4.</remarks>
internal sealed class TimmDenseNetNetwork : TimmNetwork
{
    private readonly TimmStyle _style = new("relu");
    private readonly List<TimmUnit> _stem = [];
    private readonly string? _smoothing;
    private readonly List<List<TimmDenseLayer>> _blocks = [];
    private readonly List<(TensorLayer Norm, TensorLayer Convolution)> _transitions = [];
    private readonly TensorLayer _norm;
    private readonly TimmPooling _pooling;

    public TimmDenseNetNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        const int Bottleneck = 4;
        _pooling = new TimmPooling(Options.Pooling);
        _smoothing = arguments.TextOrNull("aa_layer");
        var growth = arguments.WholeNumber("growth_rate", 32);
        var channels = 2 * growth;
        if (arguments.Text("stem_type", "").StartsWith("deep", StringComparison.Ordinal))
        {
            AddStem(0, Options.Channels, growth, 3, 2);
            AddStem(1, growth, growth, 3, 1);
            AddStem(2, growth, channels, 3, 1);
        }
        else
        {
            AddStem(0, Options.Channels, channels, 7, 2);
        }

        var depths = arguments.WholeNumbers("block_config", 6, 12, 24, 16);
        for (var block = 1; block <= depths.Count; block++)
        {
            var layers = new List<TimmDenseLayer>();
            for (var i = 1; i <= depths[block - 1]; i++)
            {
                layers.Add(Add($"features.denseblock{block}.denselayer{i}", new TimmDenseLayer(_style, channels, Bottleneck * growth, growth)));
                channels += growth;
            }

            _blocks.Add(layers);
            if (block < depths.Count)
            {
                var norm = Add($"features.transition{block}.norm", _style.MakeNorm(channels));
                _transitions.Add((norm, Add($"features.transition{block}.conv", new Convolution(channels, channels / 2, _style.Convolution(1)))));
                channels /= 2;
            }
        }

        _norm = Add("features.norm5", _style.MakeNorm(channels));
        Classifier = Add(HeadName, new Dense(channels * _pooling.Multiplier, Options.ClassCount));
    }

    public override int SmallestSide => 32;

    protected override string HeadName => "classifier";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Arranged(pixels);
        foreach (var unit in _stem)
        {
            x = unit.Forward(x);                                                                // [B, C, H / 2, W / 2]
        }

        x = _smoothing is null ? x.MaxPool(3, 2, 1) : TimmSmoothing.Halve(_smoothing, x.MaxPool(3, 1, 1));
        for (var block = 0; block < _blocks.Count; block++)
        {
            foreach (var layer in _blocks[block])
            {
                x = Recomputation.Run((plane, _) => TensorShapes.Concat([plane, layer.Forward(plane)], 1), x); // [B, C + G, H', W']
            }

            trace?.AddHiddenState(x);
            if (block < _transitions.Count)
            {
                var (norm, convolution) = _transitions[block];
                x = convolution.Forward(norm.Forward(x).Relu()).AveragePool(2, 2);              // [B, C / 2, H' / 2, W' / 2]
            }
        }

        var plane = _norm.Forward(x).Relu();                                                    // [B, C, H / 32, W / 32]
        trace?.KeepPlane(plane);
        return _pooling.Apply(plane).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Convolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Inputs);
                break;
            case Dense dense:
                WeightInitialization.Fill(dense.Bias, 0);
                break;
        }
    }

    private void AddStem(int number, int inputs, int outputs, int kernel, int stride) =>
        _stem.Add(_style.Unit(this, ($"features.conv{number}", $"features.norm{number}"), inputs, outputs, _style.Convolution(kernel, stride)));
}

/// <summary>One layer: a convolution of single places, then one of three by three, each behind a norm.</summary>
/// <remarks>Source: timm <c>DenseLayer</c>. Parity: 1e-5.</remarks>
internal sealed class TimmDenseLayer : TensorLayer
{
    private readonly TensorLayer _firstNorm;
    private readonly TimmUnit _narrow;
    private readonly Convolution _last;

    /// <param name="style">The network's style.</param>
    /// <param name="inputs">Channels of all planes before it.</param>
    /// <param name="width">Channels between its convolutions.</param>
    /// <param name="outputs">Channels that it adds.</param>
    public TimmDenseLayer(TimmStyle style, int inputs, int width, int outputs)
        : base(nameof(TimmDenseLayer))
    {
        _firstNorm = Add("norm1", style.MakeNorm(inputs));
        _narrow = style.Unit(this, ("conv1", "norm2"), inputs, width, style.Convolution(1));
        _last = Add("conv2", new Convolution(width, outputs, style.Convolution(3)));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, G, H, W]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _last.Forward(_narrow.Forward(_firstNorm.Forward(input).Relu())).MoveToOuterDisposeScope();
    }
}
