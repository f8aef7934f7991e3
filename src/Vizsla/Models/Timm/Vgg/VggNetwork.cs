using System.Globalization;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm.Vgg;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>timm's VGG, whose two wide layers before the head are convolutions.</summary>
/// <remarks>Source: timm <c>VGG</c>; torchvision's files are read too. Parity: 1e-4.</remarks>
internal sealed class VggNetwork : TimmNetwork
{
    private const int Pool = 0;
    private const int PoolCount = 5;
    private const int PlaneSide = 7;
    private const int HiddenWidth = 4096;

    private readonly List<Func<Tensor, Tensor>> _layers = [];
    private readonly Convolution _first;
    private readonly Convolution _second;
    private readonly TimmPooling _pooling;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="stages">Channels of each convolution; 0 halves the plane.</param>
    /// <param name="hasNorm">Whether a batch norm follows each convolution.</param>
    public VggNetwork(ModelConfiguration configuration, int[] stages, bool hasNorm)
        : base(configuration, TimmOptions.From(configuration))
    {
        _pooling = new TimmPooling(Options.Pooling);
        var channels = AddFeatures(stages, hasNorm);
        _first = Add("pre_logits.fc1", new Convolution(channels, HiddenWidth, new ConvolutionOptions(PlaneSide)));
        _second = Add("pre_logits.fc2", new Convolution(HiddenWidth, HiddenWidth, new ConvolutionOptions(1)));
        Classifier = Add(HeadName, new Dense(HiddenWidth * _pooling.Multiplier, Options.ClassCount));
    }

    /// <summary>The convolutions of VGG-16.</summary>
    public static int[] Stages16 { get; } = [64, 64, Pool, 128, 128, Pool, 256, 256, 256, Pool, 512, 512, 512, Pool, 512, 512, 512, Pool];

    /// <summary>The convolutions of VGG-19.</summary>
    public static int[] Stages19 { get; } =
        [64, 64, Pool, 128, 128, Pool, 256, 256, 256, 256, Pool, 512, 512, 512, 512, Pool, 512, 512, 512, 512, Pool];

    public override int SmallestSide => 1 << PoolCount;

    protected override string HeadName => "head.fc";

    protected override Dense Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Arranged(pixels);
        foreach (var layer in _layers)
        {
            var next = layer(x);
            x.Dispose();
            x = next;
        }

        trace?.AddHiddenState(x);
        trace?.KeepPlane(x);
        return _pooling.Apply(Hidden(x)).MoveToOuterDisposeScope();                             // [B, C]
    }

    internal override string? NameOf(string name) => base.NameOf(name)?
        .Replace("classifier.0.", "pre_logits.fc1.", StringComparison.Ordinal)
        .Replace("classifier.3.", "pre_logits.fc2.", StringComparison.Ordinal)
        .Replace("classifier.6.", "head.fc.", StringComparison.Ordinal);

    /// <summary>torchvision keeps the two wide layers as matrices.</summary>
    internal override IReadOnlyList<long>? Reshaped(string name, IReadOnlyList<long> fileShape) =>
        fileShape.Count != 2 ? null : name switch
        {
            "pre_logits.fc1.weight" when fileShape[1] % (PlaneSide * PlaneSide) == 0 =>
                [fileShape[0], fileShape[1] / (PlaneSide * PlaneSide), PlaneSide, PlaneSide],
            "pre_logits.fc2.weight" => [fileShape[0], fileShape[1], 1, 1],
            _ => null,
        };

    protected override void InitializeLayer(Layer layer)
    {
        const double HeadDeviation = 0.01;
        switch (layer)
        {
            case Convolution convolution:
                WeightInitialization.HeNormal(convolution.Weight, FanMode.Outputs);
                WeightInitialization.Fill(convolution.Bias, 0);
                break;
            case Dense dense:
                WeightInitialization.Normal(dense.Weight, HeadDeviation);
                WeightInitialization.Fill(dense.Bias, 0);
                break;
        }
    }

    private int AddFeatures(int[] stages, bool hasNorm)
    {
        // Activations and poolings count in the names, though they have no weights.
        var (position, channels) = (0, Options.Channels);
        foreach (var width in stages)
        {
            if (width == Pool)
            {
                position++;
                _layers.Add(x => nn.functional.max_pool2d(x, [2, 2], [2, 2]));
                continue;
            }

            var convolution = Add(Name(position), new Convolution(channels, width, new ConvolutionOptions(3) { Padding = (1, 1) }));
            if (hasNorm)
            {
                var unit = new ConvolutionUnit(convolution, Add(Name(position + 1), new BatchNormalization(width)), Activation.Named("relu"));
                _layers.Add(unit.Forward);
            }
            else
            {
                _layers.Add(x => convolution.Forward(x).relu_());
            }

            position += hasNorm ? 3 : 2;
            channels = width;
        }

        return channels;
    }

    private Tensor Hidden(Tensor plane)
    {
        var (height, width) = (plane.shape[2], plane.shape[3]);
        var enough = height < PlaneSide || width < PlaneSide
            ? nn.functional.adaptive_avg_pool2d(plane, [Math.Max(PlaneSide, height), Math.Max(PlaneSide, width)])
            : plane;
        var hidden = _first.Forward(enough).relu_();                                         // [B, C, H - 6, W - 6]
        hidden = Dropout.Apply(hidden, Options.DropRate, training);
        return _second.Forward(hidden).relu_();
    }

    private static string Name(int position) => string.Create(CultureInfo.InvariantCulture, $"features.{position}");
}
