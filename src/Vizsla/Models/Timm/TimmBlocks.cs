using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, R reduced channels, H height, W width, D width of tokens.

/// <summary>Weighs channels by what the whole plane holds.</summary>
/// <remarks>Source: timm <c>SqueezeExcite</c>, <c>SEModule</c>. Parity: 1e-5.</remarks>
internal sealed class TimmSqueeze : TensorLayer
{
    private static readonly long[] _plane = [2, 3];
    private readonly Convolution _reduce;
    private readonly Convolution _expand;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly Func<Tensor, Tensor> _gate;

    /// <param name="channels">Channels of the plane.</param>
    /// <param name="reduced">Channels between the two convolutions.</param>
    /// <param name="functions">Names of the activation between them and of the gate.</param>
    /// <param name="names">Names of the two convolutions in the file.</param>
    public TimmSqueeze(int channels, int reduced, (string Activation, string Gate) functions, (string Reduce, string Expand) names)
        : base(nameof(TimmSqueeze))
    {
        _activation = TimmStyle.FunctionOf(functions.Activation);
        _gate = TimmStyle.FunctionOf(functions.Gate);
        _reduce = Add(names.Reduce, new Convolution(channels, reduced, new ConvolutionOptions(1)));
        _expand = Add(names.Expand, new Convolution(reduced, channels, new ConvolutionOptions(1)));
    }

    /// <summary>The module of SE-Nets.</summary>
    /// <param name="channels">Channels of the plane.</param>
    /// <param name="ratio">Share of the channels between the convolutions, rounded to a multiple of 8.</param>
    public static TimmSqueeze OfRatio(int channels, double ratio) =>
        new(channels, TimmRounding.ToMultiple(channels * ratio, 8, roundLimit: 0), ("relu", "sigmoid"), ("fc1", "fc2"));

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var squeezed = _activation(_reduce.Forward(input.Mean(_plane, keepsAxes: true)));       // [B, R, 1, 1]
        return input.Times(_gate(_expand.Forward(squeezed))).MoveToOuterDisposeScope();         // [B, C, H, W]
    }
}

/// <summary>Weighs channels by what the plane holds in them and their neighbours.</summary>
/// <remarks>Source: timm <c>EcaModule</c>. Parity: 1e-5.</remarks>
internal sealed class TimmNeighbourSqueeze : TensorLayer
{
    private static readonly long[] _plane = [2, 3];
    private readonly ParameterSlot _weight;
    private readonly int _kernel;

    /// <param name="channels">Channels of the plane; decide how many neighbours count.</param>
    public TimmNeighbourSqueeze(int channels)
        : base(nameof(TimmNeighbourSqueeze))
    {
        var near = (int)((Math.Log2(channels) + 1) / 2);
        _kernel = Math.Max(near % 2 == 1 ? near : near + 1, 3);
        _weight = AddParameter("conv.weight", 1, 1, _kernel);
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var line = input.Mean(_plane).Unsqueeze(1).Unsqueeze(1);                                // [B, 1, 1, C]
        var options = new ConvolutionOptions((1, _kernel)) { Padding = (0, _kernel / 2), HasBias = false };
        var gate = line.Convolve(_weight.Value.Unsqueeze(2), null, options).Sigmoid();          // [B, 1, 1, C]
        return input.Times(gate.Reshape(input.shape[0], -1, 1, 1)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.ResetLikeTorch(_weight.Value, null);
}

/// <summary>A learned factor of each channel.</summary>
/// <remarks>Source: timm <c>LayerScale</c>, <c>LayerScale2d</c>. Parity: exact.</remarks>
internal sealed class TimmLayerScale : TensorLayer
{
    private readonly ParameterSlot _gamma;
    private readonly double _start;
    private readonly bool _areTokens;

    /// <param name="channels">Channels, or width of the tokens.</param>
    /// <param name="start">The factor before training.</param>
    /// <param name="areTokens">Whether channels are the last axis, not the second.</param>
    public TimmLayerScale(int channels, double start, bool areTokens)
        : base(nameof(TimmLayerScale))
    {
        _start = start;
        _areTokens = areTokens;
        _gamma = AddParameter("gamma", channels);
    }

    /// <param name="input">Float [B, C, H, W] or [B, N, C].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return input.Times(_areTokens ? _gamma.Value : _gamma.Value.Reshape(1, -1, 1, 1)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_gamma.Value, _start);
}

/// <summary>Poolings that shrink a plane without the aliasing of a strided convolution.</summary>
internal static class TimmSmoothing
{
    private const int Kernel = 3;

    /// <summary>Halves a plane in the way that timm's <c>aa_layer</c> names.</summary>
    /// <param name="kind">Name of the layer; null leaves the plane as it is.</param>
    /// <param name="plane">Float [B, C, H, W].</param>
    /// <returns>Float [B, C, H / 2, W / 2] in the caller's scope.</returns>
    public static Tensor Halve(string kind, Tensor plane) => kind switch
    {
        "avg" or "AvgPool2d" => plane.AveragePool(2, 2),
        "BlurPool2d" => Blur(plane, reflects: true),
        "blurpc" => Blur(plane, reflects: false),
        _ => throw new ModelLoadException($"The aa_layer '{kind}' of timm is not supported."),
    };

    // Source: timm BlurPool2d.
    private static Tensor Blur(Tensor plane, bool reflects)
    {
        using var scope = NewDisposeScope();
        var channels = plane.shape[1];
        float[] line = [0.25f, 0.5f, 0.25f];
        var values = line.SelectMany(a => line.Select(b => a * b)).ToArray();
        var filter = TensorShapes.Constant(values, [1, 1, Kernel, Kernel], plane.device, plane.dtype).Expand(channels, 1, Kernel, Kernel);
        var options = new ConvolutionOptions(Kernel) { Stride = (2, 2), Padding = reflects ? (0, 0) : (1, 1), Groups = channels, HasBias = false };
        var padded = reflects ? Reflected(Reflected(plane, 2), 3) : plane;
        return padded.Convolve(filter, null, options).MoveToOuterDisposeScope();
    }

    private static Tensor Reflected(Tensor plane, int axis) =>
        TensorShapes.Concat([plane.Narrow(axis, 1, 1), plane, plane.Narrow(axis, plane.shape[axis] - 2, 1)], axis);
}

/// <summary>Numbers of channels as timm rounds them.</summary>
internal static class TimmRounding
{
    /// <summary>The nearest multiple that is not much smaller.</summary>
    /// <param name="channels">Any number.</param>
    /// <param name="divisor">What the result is a multiple of, and at least.</param>
    /// <param name="roundLimit">Share of the number that the result may not fall below.</param>
    /// <param name="smallest">The smallest result; 0 takes the divisor.</param>
    /// <remarks>Source: timm <c>make_divisible</c>.</remarks>
    public static int ToMultiple(double channels, int divisor = 8, double roundLimit = 0.9, int smallest = 0)
    {
        var rounded = Math.Max(smallest > 0 ? smallest : divisor, (int)(channels + divisor / 2.0) / divisor * divisor);
        return rounded < roundLimit * channels ? rounded + divisor : rounded;
    }

    /// <summary>Rounds as the table's <c>round_channels(...)</c> says.</summary>
    public static int Round(string? spec, double channels)
    {
        var rounding = TimmSpec.Parse(spec ?? "round_channels");
        return ToMultiple(channels * rounding.Number("multiplier", 1), rounding.WholeNumber("divisor", 8), rounding.Number("round_limit", 0.9));
    }
}
