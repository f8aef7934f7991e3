using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>Divides gradients by the root of the sum of their squares.</summary>
/// <remarks>Source: <c>torch.optim.Adagrad</c>. Parity: 1e-6.</remarks>
internal sealed class Adagrad(IReadOnlyList<ParameterGroup> groups, double rateDecay, double initialSum, double epsilon) : SingleTensorOptimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options =>
        new Dictionary<string, object?> { ["lr_decay"] = rateDecay, ["initial_accumulator_value"] = initialSum, ["eps"] = epsilon };

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        if (group.WeightDecay != 0)
        {
            gradient = gradient.add(parameter, Kept(group.WeightDecay));
        }

        var sum = state.GetOrAdd("sum", () => full_like(parameter, Kept(initialSum)));
        sum.addcmul_(gradient, gradient, Kept(1));
        var rate = group.LearningRate / (1 + (state.Step - 1) * rateDecay);
        parameter.addcdiv_(gradient, sum.sqrt().Plus_(epsilon), Kept(-rate));
    }
}
