using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Normalization over groups of channels and all places, of each picture by itself.</summary>
/// <remarks>Source: <c>torch.nn.GroupNorm</c>. Parity: exact.</remarks>
internal sealed class GroupNormalization : TensorLayer
{
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly long _groups;
    private readonly double _epsilon;

    /// <param name="channels">Channels of the input.</param>
    /// <param name="groups">Groups of channels; divides them.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public GroupNormalization(long channels, long groups, double epsilon = 1e-5)
        : base(nameof(GroupNormalization))
    {
        _groups = groups;
        _epsilon = epsilon;
        _weight = AddParameter("weight", channels);
        _bias = AddParameter("bias", channels);
        ResetParameters();
    }

    /// <param name="input">Float [B, C, H, W].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor Compute(Tensor input) =>
        Meter is not null ? Meter.StandIn(this, input, input.shape, 0) : input.GroupNorm(_groups, _weight.Value, _bias.Value, _epsilon);

    public override void ResetParameters()
    {
        WeightInitialization.Fill(_weight.Value, 1);
        WeightInitialization.Fill(_bias.Value, 0);
    }
}
