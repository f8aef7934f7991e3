using static TorchSharp.torch;

namespace Vizsla.Models.Layers;

/// <summary>A linear layer, <c>x W^T + b</c>, whose parameters are not drawn until <see cref="Layer.ResetParameters"/>.</summary>
/// <remarks>Source: <c>torch.nn.Linear</c>. Parity: exact.</remarks>
internal sealed class Dense : TensorLayer, IWeighted
{
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot? _bias;

    /// <param name="inputs">Width of the input.</param>
    /// <param name="outputs">Width of the output.</param>
    /// <param name="hasBias">Whether a bias is added.</param>
    public Dense(long inputs, long outputs, bool hasBias = true)
        : base(nameof(Dense))
    {
        _weight = AddParameter("weight", outputs, inputs);
        _bias = hasBias ? AddParameter("bias", outputs) : null;
    }

    public Tensor Weight => _weight.Value;

    public Tensor? Bias => _bias?.Value;

    /// <param name="input">Float [..., inputs].</param>
    /// <returns>Float [..., outputs]; the caller owns it.</returns>
    public override Tensor Compute(Tensor input) => Meter is null
        ? input.Linear(Weight, Bias)
        : Meter.StandIn(this, input, [.. input.shape[..^1], Weight.shape[0]], Weight.shape[1]);

    public override void ResetParameters() => WeightInitialization.ResetLikeTorch(Weight, Bias);
}
