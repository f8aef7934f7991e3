using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, L labels.

/// <summary>MobileNetV1 with a linear head on the mean of its last plane.</summary>
/// <remarks>Source: transformers <c>MobileNetV1ForImageClassification</c>. Parity: 1e-5.</remarks>
internal sealed class MobileNetV1Network : TransformersNetwork
{
    public const string ModelType = "mobilenet_v1";
    public const string Name = "MobileNetV1ForImageClassification";

    private const int StemWidth = 32;

    // transformers hands TensorFlow's decay to torch, where momentum means the share of the newest batch.
    private const double Momentum = 0.9997;
    private static readonly int[] _strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];

    private readonly List<ConvolutionUnit> _units = [];
    private readonly int _channels;
    private readonly bool _isSamePadded;
    private readonly string _activation;
    private readonly double _headDropout;
    private readonly double _initializerRange;
    private readonly double _epsilon;

    public MobileNetV1Network(ModelConfiguration configuration)
        : base(configuration, Name, "mobilenet_v1.")
    {
        _channels = configuration.WholeNumber("num_channels", 3);
        _isSamePadded = configuration.Flag("tf_padding", true);
        _activation = configuration.Text("hidden_act", "relu6");
        _headDropout = configuration.Number("classifier_dropout_prob", 0.999);
        _initializerRange = configuration.Number("initializer_range", 0.02);
        _epsilon = configuration.Number("layer_norm_eps", 0.001);
        var (factor, smallest) = (configuration.Number("depth_multiplier", 1), configuration.WholeNumber("min_depth", 8));
        OptionChecks.Positive(("min_depth", smallest));
        var (depth, width) = (StemWidth, Math.Max((int)(StemWidth * factor), smallest));
        AddUnit("conv_stem", _channels, width, ConvolutionOptions.Centered(3, 2));
        for (var i = 0; i < _strides.Length; i++)
        {
            depth *= _strides[i] == 2 || i == 0 ? 2 : 1;
            var outputs = Math.Max((int)(depth * factor), smallest);
            AddUnit($"layer.{2 * i}", width, width, ConvolutionOptions.Centered(3, _strides[i], width));
            AddUnit($"layer.{2 * i + 1}", width, outputs, new ConvolutionOptions(1));
            width = outputs;
        }

        AddHead("classifier", width);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, _channels);
        using var scope = NewDisposeScope();
        var x = _units[0].Forward(Arranged(pixels));                                            // [B, C, H / 2, W / 2]
        x = Through(x, _units.Skip(1), (unit, plane) => unit.Forward(plane), trace);            // [B, C, H / 32, W / 32]
        trace?.KeepPlane(x);
        return GlobalPooling.Mean(x).MoveToOuterDisposeScope();                                 // [B, C]
    }

    public override Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return base.Head(Dropout.Apply(features, _headDropout, training)).MoveToOuterDisposeScope();
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, _initializerRange);

    private void AddUnit(string path, int inputs, int outputs, ConvolutionOptions options) => _units.Add(ConvolutionUnit.Add(
        this, ResNetBlock.NamesOf("mobilenet_v1." + path), inputs, outputs, options with { IsSamePadded = _isSamePadded },
        Activation.Named(_activation), _epsilon, Momentum));
}
