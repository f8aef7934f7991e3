using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.EfficientNet;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>timm's EfficientNet, and the lite one of TensorFlow.</summary>
/// <remarks>Source: timm <c>EfficientNet</c>, <c>_gen_efficientnet</c>, <c>_gen_efficientnet_lite</c>. Parity: 1e-4.</remarks>
internal sealed class TimmEfficientNetNetwork : TimmNetwork
{
    private readonly ConvolutionUnit _stem;
    private readonly List<(int Stage, TimmEfficientNetBlock Block)> _blocks = [];
    private readonly ConvolutionUnit _last;
    private readonly TimmPooling _pooling;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="shape">How the network is scaled.</param>
    public TimmEfficientNetNetwork(ModelConfiguration configuration, EfficientNetShape shape)
        : base(configuration, TimmOptions.From(configuration))
    {
        _pooling = new TimmPooling(Options.Pooling);
        var style = new EfficientNetStyle(shape.IsLite);
        _stem = new ConvolutionUnit(
            Add("conv_stem", new Convolution(Options.Channels, shape.StemWidth, style.Convolution(3, 2))),
            Add("bn1", new BatchNormalization(shape.StemWidth, style.Epsilon)),
            style.Activation);
        var blocks = shape.Blocks().ToList();
        for (var i = 0; i < blocks.Count; i++)
        {
            var rate = Options.DropPath * i / blocks.Count;
            _blocks.Add((blocks[i].Stage, Add(blocks[i].Name, new TimmEfficientNetBlock(blocks[i], style, rate))));
        }

        _last = new ConvolutionUnit(
            Add("conv_head", new Convolution(blocks[^1].Outputs, shape.LastWidth, style.Convolution(1))),
            Add("bn2", new BatchNormalization(shape.LastWidth, style.Epsilon)),
            style.Activation);
        Classifier = Add(HeadName, new Dense(shape.LastWidth * _pooling.Multiplier, Options.ClassCount));
    }

    /// <remarks>Seen on Zen 4: the backward pass of its depthwise convolutions takes longer than bfloat16 saves elsewhere (docs/performance.md).</remarks>
    internal override bool TrainsSlowerInBfloat16 => true;

    protected override string HeadName => "classifier";

    protected override Dense Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                          // [B, C, H / 2, W / 2]
        for (var i = 0; i < _blocks.Count; i++)
        {
            var next = _blocks[i].Block.Forward(x);
            x.Dispose();
            x = next;
            if (i + 1 == _blocks.Count || _blocks[i + 1].Stage != _blocks[i].Stage)
            {
                trace?.AddHiddenState(x);
            }
        }

        var plane = _last.Forward(x);                                                           // [B, C, H / 32, W / 32]
        trace?.AddHiddenState(plane);
        trace?.KeepPlane(plane);
        return _pooling.Apply(plane).MoveToOuterDisposeScope();                                 // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Convolution convolution:
                var outputs = convolution.Weight.shape[0] * convolution.Options.Kernel.Height * convolution.Options.Kernel.Width;
                WeightInitialization.Normal(convolution.Weight, Math.Sqrt(2.0 / (outputs / convolution.Options.Groups)));
                WeightInitialization.Fill(convolution.Bias, 0);
                break;
            case Dense dense:
                WeightInitialization.Uniform(dense.Weight, 1 / Math.Sqrt(dense.Weight.shape[0]));
                WeightInitialization.Fill(dense.Bias, 0);
                break;
        }
    }
}
