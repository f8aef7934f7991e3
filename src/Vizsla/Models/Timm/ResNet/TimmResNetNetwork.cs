using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.ResNet;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>timm's ResNet, with torchvision's names.</summary>
/// <remarks>Source: timm <c>ResNet</c>. Parity: 1e-4.</remarks>
internal sealed class TimmResNetNetwork : TimmNetwork
{
    private const int StemKernel = 7;
    private const int StemWidth = 64;

    private readonly ConvolutionUnit _stem;
    private readonly List<List<TimmResNetBlock>> _stages = [];
    private readonly TimmPooling _pooling;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="depths">Blocks of each stage.</param>
    /// <param name="isBottleneck">Whether blocks are narrow inside.</param>
    public TimmResNetNetwork(ModelConfiguration configuration, int[] depths, bool isBottleneck)
        : base(configuration, TimmOptions.From(configuration))
    {
        _pooling = new TimmPooling(Options.Pooling);
        _stem = new ConvolutionUnit(
            Add("conv1", new Convolution(Options.Channels, StemWidth, new ConvolutionOptions(StemKernel)
            {
                Stride = (2, 2),
                Padding = (StemKernel / 2, StemKernel / 2),
                HasBias = false,
            })),
            Add("bn1", new BatchNormalization(StemWidth)),
            Activation.Named("relu"));
        var rates = new Queue<double>(StochasticDepth.Rising(Options.DropPath, depths.Sum()));
        var channels = StemWidth;
        for (var stage = 0; stage < depths.Length; stage++)
        {
            var width = StemWidth << stage;
            var blocks = new List<TimmResNetBlock>();
            for (var i = 0; i < depths[stage]; i++)
            {
                var stride = stage > 0 && i == 0 ? 2 : 1;
                blocks.Add(Add($"layer{stage + 1}.{i}", new TimmResNetBlock(channels, width, stride, isBottleneck, rates.Dequeue())));
                channels = isBottleneck ? 4 * width : width;
            }

            _stages.Add(blocks);
        }

        Classifier = Add(HeadName, new Dense(channels * _pooling.Multiplier, Options.ClassCount));
    }

    protected override string HeadName => "fc";

    protected override Dense Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = nn.functional.max_pool2d(_stem.Forward(Arranged(pixels)), [3, 3], [2, 2], [1, 1]);        // [B, C, H / 4, W / 4]
        foreach (var stage in _stages)
        {
            foreach (var block in stage)
            {
                var next = block.Forward(x);
                x.Dispose();
                x = next;
            }

            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        return _pooling.Apply(x).MoveToOuterDisposeScope();                                     // [B, C]
    }

    protected override void InitializeLayer(Layer layer)
    {
        switch (layer)
        {
            case Convolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                break;
            case TimmResNetBlock block:
                WeightInitialization.Fill(block.LastNorm.Weight, 0);
                break;
        }
    }
}
