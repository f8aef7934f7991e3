using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>Layer normalization over the last axis.</summary>
/// <remarks>Source: <c>torch.nn.LayerNorm</c>; keeps its weights out of weight decay in the trainer. Parity: exact.</remarks>
internal sealed class LayerNormalization : Layer
{
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly long[] _shape;
    private readonly double _epsilon;

    /// <param name="width">Length of the last axis.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public LayerNormalization(long width, double epsilon)
        : base(nameof(LayerNormalization))
    {
        _shape = [width];
        _epsilon = epsilon;
        _weight = AddParameter("weight", width);
        _bias = AddParameter("bias", width);
        ResetParameters();
    }

    /// <param name="input">Float [..., width].</param>
    /// <returns>The same shape; the caller owns it.</returns>
    public override Tensor forward(Tensor input) => Meter is not null ? Meter.StandIn(this, input, input.shape, 0) : nn.functional.layer_norm(input, _shape, _weight.Value, _bias.Value, _epsilon);

    public override void ResetParameters()
    {
        Drawing.Fill(_weight.Value, 1);
        Drawing.Fill(_bias.Value, 0);
    }
}
