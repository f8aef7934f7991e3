using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>Adam with Nesterov's momentum.</summary>
/// <remarks>Source: <c>torch.optim.NAdam</c>. Parity: 1e-6.</remarks>
internal sealed class NAdam(IReadOnlyList<ParameterGroup> groups, AdamOptions options, double momentumDecay) : SingleTensorOptimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options =>
        new Dictionary<string, object?>(options.ToDictionary()) { ["momentum_decay"] = momentumDecay };

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        if (group.WeightDecay != 0)
        {
            gradient = gradient.add(parameter, group.WeightDecay);
        }

        var mean = state.Zeros("exp_avg", parameter);
        var square = state.Zeros("exp_avg_sq", parameter);
        var product = state.GetOrAdd("mu_product", () => ones(1).squeeze());
        var momentum = Momentum(state.Step);
        var nextMomentum = Momentum(state.Step + 1);
        product.mul_(momentum);
        mean.mul_(options.Beta1).add_(gradient, 1 - options.Beta1);
        square.mul_(options.Beta2).addcmul_(gradient, gradient, 1 - options.Beta2);

        double all = product.item<float>();
        var denominator = square.div(1 - Math.Pow(options.Beta2, state.Step)).sqrt_().add_(options.Epsilon);
        parameter.addcdiv_(gradient, denominator, -group.LearningRate * (1 - momentum) / (1 - all));
        parameter.addcdiv_(mean, denominator, -group.LearningRate * nextMomentum / (1 - all * nextMomentum));
    }

    private double Momentum(long step) => options.Beta1 * (1 - 0.5 * Math.Pow(0.96, step * momentumDecay));
}
