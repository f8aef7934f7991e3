using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>Stochastic gradient descent, with or without momentum.</summary>
/// <remarks>Source: <c>torch.optim.SGD</c>. Parity: 1e-6.</remarks>
internal sealed class Sgd(IReadOnlyList<ParameterGroup> groups, double momentum, double dampening, bool isNesterov) : SingleTensorOptimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options =>
        new Dictionary<string, object?> { ["momentum"] = momentum, ["dampening"] = dampening, ["nesterov"] = isNesterov };

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        if (group.WeightDecay != 0)
        {
            gradient = gradient.add(parameter, Kept(group.WeightDecay));
        }

        if (momentum != 0)
        {
            gradient = WithMomentum(gradient, state);
        }

        parameter.add_(gradient, Kept(-group.LearningRate));
    }

    private Tensor WithMomentum(Tensor gradient, ParameterState state)
    {
        // The first step takes the gradient whole, dampened or not.
        if (!state.Tensors.TryGetValue("momentum_buffer", out var buffer))
        {
            buffer = state.GetOrAdd("momentum_buffer", gradient.clone);
        }
        else
        {
            buffer.mul_(Kept(momentum)).add_(gradient, Kept(1 - dampening));
        }

        return isNesterov ? gradient.add(buffer, Kept(momentum)) : buffer;
    }
}
