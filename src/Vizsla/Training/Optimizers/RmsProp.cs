using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>Divides gradients by the root of their mean square.</summary>
/// <remarks>Source: <c>torch.optim.RMSprop</c>. Parity: 1e-6.</remarks>
internal sealed class RmsProp(IReadOnlyList<ParameterGroup> groups, double alpha, double epsilon, double momentum, bool isCentered) : SingleTensorOptimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options =>
        new Dictionary<string, object?> { ["alpha"] = alpha, ["eps"] = epsilon, ["momentum"] = momentum, ["centered"] = isCentered };

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        if (group.WeightDecay != 0)
        {
            gradient = gradient.add(parameter, Kept(group.WeightDecay));
        }

        var square = state.Zeros("square_avg", parameter);
        square.mul_(Kept(alpha)).addcmul_(gradient, gradient, Kept(1 - alpha));
        var denominator = Variance(square, gradient, parameter, state).sqrt().Plus_(epsilon);
        if (momentum > 0)
        {
            var buffer = state.Zeros("momentum_buffer", parameter);
            buffer.mul_(Kept(momentum)).addcdiv_(gradient, denominator, Kept(1));
            parameter.add_(buffer, Kept(-group.LearningRate));
        }
        else
        {
            parameter.addcdiv_(gradient, denominator, Kept(-group.LearningRate));
        }
    }

    private Tensor Variance(Tensor square, Tensor gradient, Tensor parameter, ParameterState state)
    {
        if (!isCentered)
        {
            return square;
        }

        var mean = state.Zeros("grad_avg", parameter);
        mean.mul_(Kept(alpha)).add_(gradient, Kept(1 - alpha));
        return square.addcmul(mean, mean, Kept(-1));
    }
}
