using System.Text.Json;
using System.Text.Json.Nodes;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Families;

// Shapes: B batch, C channels, H height, W width, E width of the features, L labels.

/// <summary>PP-LCNet with a linear head on the expanded mean of its last plane.</summary>
/// <remarks>Source: transformers <c>PPLCNetForImageClassification</c>, which gives logits as <c>last_hidden_state</c>. Parity: 1e-5.</remarks>
internal sealed class PpLcNetNetwork : TransformersNetwork
{
    public const string ModelType = "pp_lcnet";
    public const string Name = "PPLCNetForImageClassification";

    // The configuration has no key for it; this is the default of the library.
    private const double InitializerRange = 0.02;
    private const int Channels = 3;

    private readonly PpLcNetOptions _options;
    private readonly ConvolutionUnit _stem;
    private readonly List<List<PpLcNetBlock>> _stages = [];
    private readonly Convolution _expand;
    private readonly Func<Tensor, Tensor> _activation;

    public PpLcNetNetwork(ModelConfiguration configuration)
        : base(configuration, Name, "")
    {
        _options = new PpLcNetOptions(configuration);
        _activation = Activation.Named(_options.Activation);
        _stem = ConvolutionUnit.Add(
            this, ResNetBlock.NamesOf("encoder.convolution"), Channels, _options.Scaled(_options.StemWidth), ConvolutionOptions.Centered(3, _options.StemStride), _activation);
        foreach (var (stage, shapes) in _options.Stages.Index())
        {
            _stages.Add([.. shapes.Select((shape, i) => Add(Invariant($"encoder.blocks.{stage}.layers.{i}"), new PpLcNetBlock(_options, shape)))]);
        }

        _expand = Add("last_convolution", new Convolution(_options.Scaled(_options.Stages[^1][^1].Outputs), _options.FeatureWidth, new ConvolutionOptions(1) { HasBias = false }));
        AddHead("head", _options.FeatureWidth);
    }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        trace?.AddHiddenState(x);
        foreach (var stage in _stages)
        {
            x = Through(x, stage, (block, plane) => block.Forward(plane));                      // [B, C, H, W]
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        var pooled = x.Mean([2, 3], keepsAxes: true);                                           // [B, C, 1, 1]

        // The Python class scales by what dropout would keep, in training and in evaluation, and drops nothing.
        return _activation(_expand.Forward(pooled)).Times(1 - _options.Dropout).Flatten(1).MoveToOuterDisposeScope(); // [B, E]
    }

    protected override void InitializeLayer(Layer layer) => InitializeNormal(layer, InitializerRange);
}

/// <summary>One block of a PP-LCNet: a convolution per channel, channels weighed where the block has it, and a convolution of single places.</summary>
/// <remarks>Source: transformers <c>PPLCNetDepthwiseSeparableConvLayer</c>; the names are those of its file. Parity: 1e-5.</remarks>
internal sealed class PpLcNetBlock : Layer
{
    private readonly ConvolutionUnit _spatial;
    private readonly SqueezeExcitation? _squeeze;
    private readonly ConvolutionUnit _point;

    public PpLcNetBlock(PpLcNetOptions options, PpLcNetShape shape)
        : base(nameof(PpLcNetBlock))
    {
        var (inputs, outputs) = (options.Scaled(shape.Inputs), options.Scaled(shape.Outputs));
        var activation = Activation.Named(options.Activation);
        _spatial = ConvolutionUnit.Add(
            this, ResNetBlock.NamesOf("depthwise_convolution"), inputs, inputs, ConvolutionOptions.Centered(shape.Kernel, shape.Stride, inputs), activation);
        _squeeze = shape.HasSqueeze
            ? Add("squeeze_excitation_module", new SqueezeExcitation(
                inputs, inputs / options.Reduction, Activation.Named("relu"), ("convolutions.0", "convolutions.2"), TensorMath.HardSigmoid))
            : null;
        _point = ConvolutionUnit.Add(this, ResNetBlock.NamesOf("pointwise_convolution"), inputs, outputs, new ConvolutionOptions(1), activation);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _spatial.Forward(input);                                                        // [B, C, H', W']
        return _point.Forward(_squeeze?.Forward(x) ?? x).MoveToOuterDisposeScope();             // [B, C', H', W']
    }
}

/// <summary>The shape of a block before its channels are scaled.</summary>
/// <param name="Kernel">Side of the convolution per channel; odd.</param>
/// <param name="Inputs">Channels of the input.</param>
/// <param name="Outputs">Channels of the output.</param>
/// <param name="Stride">Step of the convolution per channel.</param>
/// <param name="HasSqueeze">Whether channels are weighed.</param>
internal sealed record PpLcNetShape(int Kernel, int Inputs, int Outputs, int Stride, bool HasSqueeze);

/// <summary>The keys of a PP-LCNet's <c>config.json</c>.</summary>
/// <remarks>Source: transformers <c>PPLCNetConfig</c>; the defaults are its own.</remarks>
internal sealed record PpLcNetOptions
{
    private const string BlocksKey = "block_configs";
    private const int StageCount = 5;

    private static readonly JsonArray _blocks = (JsonArray)JsonNode.Parse(
        """
        [[[3,16,32,1,false]],[[3,32,64,2,false],[3,64,64,1,false]],[[3,64,128,2,false],[3,128,128,1,false]],
         [[3,128,256,2,false],[5,256,256,1,false],[5,256,256,1,false],[5,256,256,1,false],[5,256,256,1,false],[5,256,256,1,false]],[[5,256,512,2,true],[5,512,512,1,true]]]
        """)!;

    private readonly double _scale;
    private readonly int _divisor;

    /// <summary>Reads the keys and checks that they fit together.</summary>
    /// <exception cref="ModelLoadException">A value is of the wrong kind or out of its range, or a block does not take what the one before it gives.</exception>
    public PpLcNetOptions(ModelConfiguration configuration)
    {
        _scale = configuration.Number("scale", 1);
        _divisor = configuration.WholeNumber("divisor", 8);
        StemWidth = configuration.WholeNumber("stem_channels", 16);
        StemStride = configuration.WholeNumber("stem_stride", 2);
        Reduction = configuration.WholeNumber("reduction", 4);
        FeatureWidth = configuration.WholeNumber("class_expand", 1280);
        Activation = configuration.Text("hidden_act", "hardswish");
        Dropout = configuration.Number("hidden_dropout_prob", 0.2);
        OptionChecks.Positive(("divisor", _divisor), ("stem_channels", StemWidth), ("stem_stride", StemStride), ("reduction", Reduction), ("class_expand", FeatureWidth));
        if (_scale <= 0 || !double.IsFinite(_scale))
        {
            throw configuration.Refused("scale", "a number above 0");
        }

        var stages = configuration.Json[BlocksKey] is null ? _blocks : configuration.Json[BlocksKey] as JsonArray;
        Stages = [.. (stages ?? []).Select(s => (IReadOnlyList<PpLcNetShape>)[.. (s as JsonArray ?? []).Select(b => ShapeOf(configuration, b))])];
        if (Stages.Count != StageCount || Stages.Any(s => s.Count == 0))
        {
            throw configuration.Refused(BlocksKey, Invariant($"a list of {StageCount} stages with at least one block each"));
        }

        var channels = StemWidth;
        foreach (var shape in Stages.SelectMany(s => s))
        {
            if (Scaled(shape.Inputs) != Scaled(channels))
            {
                throw configuration.Refused(BlocksKey, Invariant($"blocks that take the channels which the one before gives; one takes {shape.Inputs} and gets {channels}"));
            }

            channels = shape.Outputs;
        }
    }

    public int StemWidth { get; }

    public int StemStride { get; }

    /// <summary>Channels divided by channels between the two convolutions that weigh them.</summary>
    public int Reduction { get; }

    public int FeatureWidth { get; }

    public string Activation { get; }

    public double Dropout { get; }

    public IReadOnlyList<IReadOnlyList<PpLcNetShape>> Stages { get; }

    /// <summary>Channels of the network of this scale.</summary>
    public int Scaled(int channels) => ChannelRounding.ToMultiple(channels * _scale, _divisor);

    private static PpLcNetShape ShapeOf(ModelConfiguration configuration, JsonNode? node)
    {
        if (node is JsonArray { Count: 5 } list && list[4] is JsonValue flag && flag.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
        {
            var numbers = list.Take(4).Select(ModelConfiguration.Count).ToList();
            if (numbers is [{ } kernel, { } inputs, { } outputs, { } stride] && kernel % 2 == 1 && Math.Max(inputs, outputs) <= ushort.MaxValue)
            {
                return new PpLcNetShape(kernel, inputs, outputs, stride, flag.GetValueKind() == JsonValueKind.True);
            }
        }

        throw configuration.Refused(BlocksKey, "blocks of an odd kernel, channels in and out, a step, and true or false");
    }
}
