using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>timm's EfficientNet and MobileNet V3, and all that its definitions of blocks build: V2, lite, edge, MobileNet V1 to V4, MnasNet, FBNet, TinyNet, LCNet.</summary>
/// <remarks>Source: timm <c>EfficientNet</c>, <c>MobileNetV3</c>, <c>EfficientNetBuilder</c>. Parity: 1e-4.</remarks>
internal sealed class TimmEfficientNetNetwork : TimmNetwork
{
    private readonly TimmUnit _stem;
    private readonly List<List<TensorLayer>> _stages = [];
    private readonly TimmUnit? _last;
    private readonly Convolution? _hidden;
    private readonly TimmUnit? _normalizedHidden;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly TimmPooling _pooling;

    /// <param name="configuration">timm's configuration.</param>
    /// <param name="arguments">What the table gives the class.</param>
    /// <param name="poolsFirst">Whether the last convolution works on pooled features, as in MobileNet V3.</param>
    public TimmEfficientNetNetwork(ModelConfiguration configuration, ModelConfiguration arguments, bool poolsFirst)
        : base(configuration, arguments)
    {
        _pooling = new TimmPooling(Options.Pooling);
        var shape = TimmMobileShape.From(arguments, poolsFirst);
        _activation = shape.Style.Function;
        var width = arguments.WholeNumber("stem_size", poolsFirst ? 16 : 32);
        width = arguments.Flag("fix_stem", false) ? width : shape.Rounded(width);
        _stem = shape.Style.Unit(this, ("conv_stem", "bn1"), Options.Channels, width, shape.Style.Convolution(arguments.WholeNumber("stem_kernel_size", 3), 2));

        var stages = TimmBlockDefinition.Decode(arguments);
        var (index, count) = (0, stages.Sum(s => s.Count));
        foreach (var (stage, definitions) in stages.Index())
        {
            var blocks = new List<TensorLayer>();
            foreach (var (i, definition) in definitions.Index())
            {
                var block = TimmMobileBlock.Make(shape, definition, width, i == 0 ? definition.Stride : 1, Options.DropPath * index++ / count);
                blocks.Add(Add($"blocks.{stage}.{i}", block));
                width = shape.Rounded(definition.Outputs);
            }

            _stages.Add(blocks);
        }

        var features = arguments.WholeNumber("num_features", 1280);
        if (!poolsFirst)
        {
            _last = features > 0 ? shape.Style.Unit(this, ("conv_head", "bn2"), width, features, shape.Style.Convolution(1)) : null;
            features = (features > 0 ? features : width) * _pooling.Multiplier;
        }
        else if (arguments.Flag("head_norm", false))
        {
            _normalizedHidden = shape.Style.Unit(this, ("conv_head", "norm_head"), width * _pooling.Multiplier, features, shape.Style.Convolution(1));
        }
        else
        {
            _hidden = Add("conv_head", new Convolution(width * _pooling.Multiplier, features, shape.Style.Convolution(1, hasBias: arguments.Flag("head_bias", true))));
        }

        Classifier = Add(HeadName, new Dense(features, Options.ClassCount));
    }

    /// <remarks>Seen on Zen 4: the backward pass of its depthwise convolutions takes longer than bfloat16 saves elsewhere (docs/performance.md).</remarks>
    internal override bool TrainsSlowerInBfloat16 => true;

    protected override string HeadName => "classifier";

    protected override TensorLayer Classifier { get; }

    public override Tensor Features(Tensor pixels, NetworkTrace? trace = null)
    {
        CheckChannels(pixels, Options.Channels);
        using var scope = NewDisposeScope();
        var x = _stem.Forward(Arranged(pixels));                                                // [B, C, H / 2, W / 2]
        foreach (var stage in _stages)
        {
            x = Through(stage, x);
            trace?.AddHiddenState(x);
        }

        if (_last is not null)
        {
            x = _last.Forward(x);                                                               // [B, C, H / 32, W / 32]
            trace?.AddHiddenState(x);
        }

        trace?.KeepPlane(x);
        var pooled = _pooling.Apply(x);                                                         // [B, C]
        return (_hidden is null && _normalizedHidden is null ? pooled : Hidden(pooled)).MoveToOuterDisposeScope();
    }

    public override void Initialize()
    {
        base.Initialize();
        using var mode = no_grad();
        foreach (var attention in ModuleTree.Layers(this).OfType<TimmMobileAttention>())
        {
            attention.InitializeProjections();
        }
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

    private Tensor Hidden(Tensor pooled)
    {
        var place = pooled.Unsqueeze(-1).Unsqueeze(-1);                                         // [B, C, 1, 1]
        return (_normalizedHidden?.Forward(place) ?? _activation(_hidden!.Forward(place))).Flatten(1);
    }
}

/// <summary>What all blocks of one network share.</summary>
/// <param name="Style">Activation, norm and padding.</param>
/// <param name="Rounding">How channels are scaled and rounded.</param>
/// <param name="Smoothing">How planes are halved without aliasing; null for by strides.</param>
/// <param name="Squeeze">timm's layer that weighs channels, with its arguments.</param>
/// <param name="SqueezesInside">Whether the reduced channels are a share of the block's inside, not of its input.</param>
/// <param name="LayerScale">Start of the factor of each channel; null where there is none.</param>
internal sealed record TimmMobileShape(TimmStyle Style, string? Rounding, string? Smoothing, TimmSpec Squeeze, bool SqueezesInside, double? LayerScale)
{
    public static TimmMobileShape From(ModelConfiguration arguments, bool poolsFirst) => new(
        new TimmStyle(arguments.Text("act_layer", "relu"), arguments.Text("norm_layer", TimmStyle.BatchNorm), arguments.Text("pad_type", "") == "same"),
        arguments.TextOrNull("round_chs_fn"),
        arguments.TextOrNull("aa_layer"),
        TimmSpec.Parse(arguments.Text("se_layer", "SqueezeExcite")),
        arguments.Flag("se_from_exp", poolsFirst),
        arguments.Json["layer_scale_init_value"] is null ? null : arguments.Number("layer_scale_init_value", 0));

    /// <summary>Scales and rounds channels.</summary>
    public int Rounded(int channels) => TimmRounding.Round(Rounding, channels);

    /// <summary>The layer that weighs a block's channels; null where it has none.</summary>
    /// <param name="block">The block.</param>
    /// <param name="width">Channels inside the block.</param>
    /// <param name="style">The block's style.</param>
    public TensorLayer? MakeSqueeze(TimmBlockDefinition block, int width, TimmStyle style)
    {
        if (block.SqueezeRatio == 0)
        {
            return null;
        }

        var reduced = width * (SqueezesInside ? block.SqueezeRatio : block.SqueezeRatio / (block.Expand ?? 1));
        var rounded = Squeeze.Arguments.TryGetValue("rd_round_fn", out var rounding)
            ? TimmRounding.Round(rounding, reduced)
            : (int)Math.Round(reduced, MidpointRounding.ToEven);
        var functions = (Squeeze.Arguments.GetValueOrDefault("force_act_layer", style.Activation), Squeeze.Arguments.GetValueOrDefault("gate_layer", "sigmoid"));
        return new TimmSqueeze(width, rounded, functions, ("conv_reduce", "conv_expand"));
    }
}
