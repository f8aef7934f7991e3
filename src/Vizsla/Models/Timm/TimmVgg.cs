using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's VGG, whose two wide layers before the head are convolutions.</summary>
/// <remarks>Source: timm <c>VGG</c>; torchvision's files are read too. Parity: 1e-4.</remarks>
internal sealed class TimmVggNetwork : TimmNetwork
{
    private const string Halving = "M";
    private const int PoolCount = 5;
    private const int PlaneSide = 7;
    private const int HiddenWidth = 4096;

    private readonly List<Func<Tensor, Tensor>> _layers = [];
    private readonly Convolution _first;
    private readonly Convolution _second;
    private readonly TimmPooling _pooling;

    public TimmVggNetwork(ModelConfiguration configuration, ModelConfiguration arguments)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var channels = AddFeatures([.. arguments.Json["cfg"]!.AsArray().Select(s => s!.ToString())], arguments.TextOrNull("norm_layer"));
        _first = Add("pre_logits.fc1", new Convolution(channels, HiddenWidth, new ConvolutionOptions(PlaneSide)));
        _second = Add("pre_logits.fc2", new Convolution(HiddenWidth, HiddenWidth, new ConvolutionOptions(1)));
        Classifier = Add(HeadName, new Dense(HiddenWidth * _pooling.Multiplier, Options.ClassCount));
    }

    public override int SmallestSide => 1 << PoolCount;

    protected override string HeadName => "head.fc";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        CheckSmallestSide(pixels);
        using var scope = NewDisposeScope();
        var x = Through(Arranged(pixels), _layers, (layer, input) => layer(input));
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

    private int AddFeatures(string[] stages, string? norm)
    {
        // Activations and poolings count in the names, though they have no weights.
        var (position, channels) = (0, Options.Channels);
        var options = new ConvolutionOptions(3) { Padding = (1, 1) };
        var style = new TimmStyle("relu", norm ?? TimmStyle.BatchNorm);
        foreach (var stage in stages)
        {
            if (stage == Halving)
            {
                position++;
                _layers.Add(x => x.MaxPool(2, 2));
                continue;
            }

            var width = int.Parse(stage, System.Globalization.CultureInfo.InvariantCulture);
            if (norm is not null)
            {
                _layers.Add(style.Unit(this, ($"features.{position}", $"features.{position + 1}"), channels, width, options).Forward);
            }
            else
            {
                var convolution = Add($"features.{position}", new Convolution(channels, width, options));
                _layers.Add(x => convolution.Forward(x).Relu_());
            }

            position += norm is not null ? 3 : 2;
            channels = width;
        }

        return channels;
    }

    private Tensor Hidden(Tensor plane)
    {
        var (height, width) = (plane.shape[2], plane.shape[3]);
        var enough = height < PlaneSide || width < PlaneSide
            ? plane.AdaptiveAveragePool(Math.Max(PlaneSide, height), Math.Max(PlaneSide, width))
            : plane;
        var hidden = _first.Forward(enough).Relu_();                                            // [B, C, H - 6, W - 6]
        hidden = Dropout.Apply(hidden, Options.DropRate, training);
        return _second.Forward(hidden).Relu_();
    }
}
