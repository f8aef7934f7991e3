using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models.Timm;

// Shapes: B batch, C channels, H height, W width.

/// <summary>Layer normalization over the channels of each place of a plane.</summary>
/// <remarks>Source: timm <c>LayerNorm2d</c>. Parity: 1e-6.</remarks>
internal sealed class PlaneNormalization : TensorLayer
{
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly double _epsilon;

    /// <param name="channels">Channels of the input.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public PlaneNormalization(int channels, double epsilon)
        : base(nameof(PlaneNormalization))
    {
        _epsilon = epsilon;
        _weight = AddParameter("weight", channels);
        _bias = AddParameter("bias", channels);
        ResetParameters();
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        return input.Permute(0, 2, 3, 1).LayerNorm(_weight.Value, _bias.Value, _epsilon).Permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_weight.Value, 1);
        WeightInitialization.Fill(_bias.Value, 0);
    }
}

/// <summary>Division by the root of the mean square, or of the variance, over the last axis of tokens, or over the channels of a plane.</summary>
/// <remarks>Source: timm <c>RmsNorm</c>, <c>RmsNorm2d</c>, <c>SimpleNorm</c>, <c>SimpleNorm2d</c>. Parity: 1e-6.</remarks>
internal sealed class RmsNormalization : TensorLayer
{
    private readonly ParameterSlot _weight;
    private readonly double _epsilon;
    private readonly long[] _axes;

    /// <param name="channels">Length of the axis.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="areTokens">Whether the axis is the last, not the second.</param>
    public RmsNormalization(int channels, double epsilon, bool areTokens)
        : base(nameof(RmsNormalization))
    {
        _epsilon = epsilon;
        _axes = areTokens ? [-1] : [1];
        _weight = AddParameter("weight", channels);
        ResetParameters();
    }

    /// <summary>Whether the variance takes the place of the mean square; the mean itself stays.</summary>
    public bool IsOfVariance { get; init; }

    /// <param name="input">Float [B, N, C] or [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input)
    {
        using var scope = NewDisposeScope();
        var scaled = input.Over(Spread(input).Plus(_epsilon).Sqrt());
        return scaled.Times(_axes[0] < 0 ? _weight.Value : _weight.Value.Reshape(1, -1, 1, 1)).MoveToOuterDisposeScope();
    }

    public override void ResetParameters() => WeightInitialization.Fill(_weight.Value, 1);

    private Tensor Spread(Tensor input)
    {
        if (!IsOfVariance)
        {
            return input.Times(input).Mean(_axes, keepsAxes: true);
        }

        // torch's variance: over one value less than there are.
        var length = input.shape[_axes[0] < 0 ? ^1 : 1];
        var distance = input.Minus(input.Mean(_axes, keepsAxes: true));
        return distance.Times(distance).Sum(_axes, keepsAxes: true).Over(length - 1);
    }
}
