using Vizsla.Native;
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
