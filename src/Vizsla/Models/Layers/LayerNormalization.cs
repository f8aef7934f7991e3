using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Layer normalization over the last axis.</summary>
/// <remarks>Source: <c>torch.nn.LayerNorm</c>; keeps its weights out of weight decay in the trainer. Parity: exact.</remarks>
internal sealed class LayerNormalization : TensorLayer
{
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly double _epsilon;

    /// <param name="width">Length of the last axis.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public LayerNormalization(long width, double epsilon)
        : base(nameof(LayerNormalization))
    {
        _epsilon = epsilon;
        _weight = AddParameter("weight", width);
        _bias = AddParameter("bias", width);
        ResetParameters();
    }

    /// <param name="input">Float [..., width].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input) => Meter is not null ? Meter.StandIn(this, input, input.shape, 0) : input.LayerNorm(_weight.Value, _bias.Value, _epsilon);

    /// <summary>Normalizes over the channels of a plane, float [B, C, H, W]; the same shape.</summary>
    public Tensor ForwardChannels(Tensor plane)
    {
        using var scope = NewDisposeScope();
        return Forward(plane.Permute(0, 2, 3, 1)).Permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_weight.Value, 1);
        WeightInitialization.Fill(_bias.Value, 0);
    }
}
