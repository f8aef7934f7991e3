using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width, N = H W places, h heads.

/// <summary>The shape of a <see cref="TimmMobileOne"/>.</summary>
/// <param name="Inputs">Channels of the input.</param>
/// <param name="Outputs">Channels of the output.</param>
/// <param name="Kernel">Side of the largest kernel; odd.</param>
internal sealed record TimmMobileOneShape(int Inputs, int Outputs, int Kernel)
{
    /// <summary>Step of the convolutions; 1 by default.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Groups of channels that do not see each other; 1 by default.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a convolution of single places stands beside the other; so by default.</summary>
    public bool HasScale { get; init; } = true;

    /// <summary>Whether channels are weighed by what the plane holds.</summary>
    public bool HasSqueeze { get; init; }

    /// <summary>Whether a GELU follows; so by default.</summary>
    public bool IsActivated { get; init; } = true;
}

/// <summary>A convolution, one of single places, and the plane itself, each with a norm, added up; one convolution in prediction.</summary>
/// <remarks>Source: timm <c>MobileOneBlock</c>. Parity: 1e-5.</remarks>
internal sealed class TimmMobileOne : TensorLayer
{
    private const double SqueezeRatio = 1.0 / 16;
    private static readonly TimmStyle _style = new("gelu");

    private readonly TimmMobileOneShape _shape;
    private readonly TimmSqueeze? _squeeze;
    private readonly ConvolutionBranches _branches;

    public TimmMobileOne(TimmMobileOneShape shape)
        : base(nameof(TimmMobileOne))
    {
        _shape = shape;
        var (inputs, outputs) = (shape.Inputs, shape.Outputs);
        _squeeze = shape.HasSqueeze
            ? Add("se", new TimmSqueeze(outputs, TimmRounding.ToMultiple(outputs * SqueezeRatio, 1, roundLimit: 0), ("relu", "sigmoid"), ("fc1", "fc2")))
            : null;
        var identity = inputs == outputs && shape.Stride == 1 ? Add("identity", new BatchNormalization(inputs)) : null;
        List<ConvolutionUnit> units = [ConvolutionUnit.Add(
            this, ("conv_kxk.0.conv", "conv_kxk.0.bn"), inputs, outputs, _style.Convolution(shape.Kernel, shape.Stride, shape.Groups), null)];
        if (shape.Kernel > 1 && shape.HasScale)
        {
            units.Insert(0, ConvolutionUnit.Add(this, ("conv_scale.conv", "conv_scale.bn"), inputs, outputs, _style.Convolution(1, shape.Stride, shape.Groups), null));
        }

        _branches = new ConvolutionBranches(units, identity);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / stride, W / stride]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _branches.Forward(input);
        x = _squeeze?.Forward(x) ?? x;
        return (_shape.IsActivated ? x.Gelu() : x).MoveToOuterDisposeScope();
    }
}

/// <summary>A wide depthwise convolution beside a small one, which halve the plane; one convolution in prediction.</summary>
/// <remarks>Source: timm <c>ReparamLargeKernelConv</c>. Parity: 1e-5.</remarks>
internal sealed class TimmLargeKernel : TensorLayer
{
    private const int Large = 7;
    private const int Small = 3;
    private const double SqueezeRatio = 0.25;
    private static readonly TimmStyle _style = new("gelu");

    private readonly ConvolutionBranches _branches;
    private readonly TimmSqueeze? _squeeze;
    private readonly bool _isActivated;

    public TimmLargeKernel((int Inputs, int Outputs) channels, bool hasSqueeze, bool isActivated)
        : base(nameof(TimmLargeKernel))
    {
        var (inputs, outputs) = channels;
        _isActivated = isActivated;
        _branches = new ConvolutionBranches(
            [
                ConvolutionUnit.Add(this, ("large_conv.conv", "large_conv.bn"), inputs, outputs, _style.Convolution(Large, 2, inputs), null),
                ConvolutionUnit.Add(this, ("small_conv.conv", "small_conv.bn"), inputs, outputs, _style.Convolution(Small, 2, inputs), null),
            ],
            identity: null);
        _squeeze = hasSqueeze ? Add("se", TimmSqueeze.OfRatio(outputs, SqueezeRatio)) : null;
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>Float [B, C', H / 2, W / 2]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _branches.Forward(input);
        x = _squeeze?.Forward(x) ?? x;
        return (_isActivated ? x.Gelu() : x).MoveToOuterDisposeScope();
    }
}

/// <summary>Positions that a wide depthwise convolution sees, beside a shortcut.</summary>
/// <remarks>Source: timm <c>RepConditionalPosEnc</c>. Parity: 1e-5.</remarks>
internal sealed class TimmConditionalPositions : TensorLayer
{
    private const int Kernel = 7;
    private readonly Convolution _convolution;

    public TimmConditionalPositions(int channels)
        : base(nameof(TimmConditionalPositions)) =>
        _convolution = Add("pos_enc", new Convolution(channels, channels, ConvolutionOptions.Centered(Kernel, groups: channels)));

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _convolution.Forward(input).Plus(input).MoveToOuterDisposeScope();
    }
}

/// <summary>A depthwise convolution with its norm, then two convolutions of single places.</summary>
/// <remarks>Source: timm <c>fastvit.ConvMlp</c>. Parity: 1e-5.</remarks>
internal sealed class TimmConvolutionPerceptron : TensorLayer
{
    private const int Kernel = 7;
    private const double Deviation = 0.02;
    private static readonly TimmStyle _style = new("gelu");

    private readonly ConvolutionUnit _depthwise;
    private readonly Convolution _widen;
    private readonly Convolution _narrow;

    public TimmConvolutionPerceptron(int channels, int inner)
        : base(nameof(TimmConvolutionPerceptron))
    {
        _depthwise = ConvolutionUnit.Add(this, ("conv.conv", "conv.bn"), channels, channels, _style.Convolution(Kernel, 1, channels), null);
        _widen = Add("fc1", new Convolution(channels, inner, new ConvolutionOptions(1)));
        _narrow = Add("fc2", new Convolution(inner, channels, new ConvolutionOptions(1)));
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _narrow.Forward(_widen.Forward(_depthwise.Forward(input)).Gelu()).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        foreach (var convolution in new[] { _depthwise.Convolution, _widen, _narrow })
        {
            WeightInitialization.TruncatedNormal(convolution.Weight, Deviation);
            WeightInitialization.Fill(convolution.Bias, 0);
        }
    }
}

/// <summary>One block: places mixed by convolutions beside a shortcut, then a perceptron.</summary>
/// <remarks>Source: timm <c>RepMixerBlock</c>, <c>RepMixer</c>. Parity: 1e-5.</remarks>
internal sealed class TimmFastVitMixerBlock : TensorLayer
{
    private const double ScaleStart = 1e-5;
    private const int Kernel = 3;

    private readonly BatchNormalization _norm;
    private readonly TimmMobileOne _mixer;
    private readonly ParameterSlot _mixerScale;
    private readonly TimmConvolutionPerceptron _perceptron;
    private readonly ParameterSlot _perceptronScale;
    private readonly double _dropPath;

    public TimmFastVitMixerBlock(int channels, int inner, double dropPath)
        : base(nameof(TimmFastVitMixerBlock))
    {
        _dropPath = dropPath;
        _norm = Add("token_mixer.norm.identity", new BatchNormalization(channels));
        _mixer = Add("token_mixer.mixer", new TimmMobileOne(new(channels, channels, Kernel) { Groups = channels, IsActivated = false }));
        _mixerScale = AddParameter("token_mixer.layer_scale.gamma", channels, 1, 1);
        _perceptron = Add("mlp", new TimmConvolutionPerceptron(channels, inner));
        _perceptronScale = AddParameter("layer_scale.gamma", channels, 1, 1);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.Plus(_mixer.Forward(input).Minus(_norm.Forward(input)).Times(_mixerScale.Value));
        return x.Plus(StochasticDepth.Apply(_perceptron.Forward(x).Times(_perceptronScale.Value), _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_mixerScale.Value, ScaleStart);
        WeightInitialization.Fill(_perceptronScale.Value, ScaleStart);
    }
}

/// <summary>One block: attention between places, then a perceptron, each beside a shortcut.</summary>
/// <remarks>Source: timm <c>fastvit.AttentionBlock</c>, <c>fastvit.Attention</c>. Parity: 1e-5.</remarks>
internal sealed class TimmFastVitAttentionBlock : TensorLayer
{
    private const double ScaleStart = 1e-5;
    private const int HeadWidth = 32;

    private readonly TensorLayer _norm;
    private readonly Dense _joined;
    private readonly Dense _mixed;
    private readonly ParameterSlot _attentionScale;
    private readonly TimmConvolutionPerceptron _perceptron;
    private readonly ParameterSlot _perceptronScale;
    private readonly int _heads;
    private readonly double _dropPath;

    public TimmFastVitAttentionBlock(int channels, int inner, string norm, double dropPath)
        : base(nameof(TimmFastVitAttentionBlock))
    {
        (_heads, _dropPath) = (channels / HeadWidth, dropPath);
        OptionChecks.Heads(channels, _heads);
        _norm = Add("norm", TimmStyle.MakeNorm(norm, channels));
        _joined = Add("token_mixer.qkv", new Dense(channels, 3 * channels, hasBias: false));
        _mixed = Add("token_mixer.proj", new Dense(channels, channels));
        _attentionScale = AddParameter("layer_scale_1.gamma", channels, 1, 1);
        _perceptron = Add("mlp", new TimmConvolutionPerceptron(channels, inner));
        _perceptronScale = AddParameter("layer_scale_2.gamma", channels, 1, 1);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var tokens = _norm.Forward(input).Flatten(2).Transpose(1, 2);                           // [B, N, C]
        var parts = _joined.Forward(tokens).Chunk(3, -1);                                       // 3 x [B, N, C]
        var mixed = _mixed.Forward(Attention.Mix(parts[0], parts[1], parts[2], _heads)).Transpose(1, 2).Unflatten(2, input.shape[2], input.shape[3]);   // [B, C, H, W]
        var x = input.Plus(StochasticDepth.Apply(mixed.Times(_attentionScale.Value), _dropPath, training));
        return x.Plus(StochasticDepth.Apply(_perceptron.Forward(x).Times(_perceptronScale.Value), _dropPath, training)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_attentionScale.Value, ScaleStart);
        WeightInitialization.Fill(_perceptronScale.Value, ScaleStart);
    }
}
