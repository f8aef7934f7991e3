using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

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
            gradient = gradient.add(parameter, Kept(group.WeightDecay));
        }

        var mean = state.Zeros("exp_avg", parameter);
        var square = state.Zeros("exp_avg_sq", parameter);
        var product = state.GetOrAdd("mu_product", () => ones(1).squeeze());
        var momentum = Momentum(state.Step);
        var nextMomentum = Momentum(state.Step + 1);
        product.mul_(Kept(momentum));
        mean.mul_(Kept(options.Beta1)).add_(gradient, Kept(1 - options.Beta1));
        square.mul_(Kept(options.Beta2)).addcmul_(gradient, gradient, Kept(1 - options.Beta2));

        double all = product.item<float>();
        var denominator = square.div(Kept(1 - Math.Pow(options.Beta2, state.Step))).sqrt_().Plus_(options.Epsilon);
        parameter.addcdiv_(gradient, denominator, Kept(-group.LearningRate * (1 - momentum) / (1 - all)));
        parameter.addcdiv_(mean, denominator, Kept(-group.LearningRate * nextMomentum / (1 - all * nextMomentum)));
    }

    private double Momentum(long step) => options.Beta1 * (1 - 0.5 * Math.Pow(0.96, step * momentumDecay));
}
