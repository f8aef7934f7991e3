using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>Adam; with decoupled weight decay it is AdamW.</summary>
/// <remarks>Source: <c>torch.optim.Adam</c>, <c>torch.optim.AdamW</c>. Parity: 1e-6.</remarks>
internal sealed class Adam(IReadOnlyList<ParameterGroup> groups, AdamOptions options, bool isDecoupled) : SingleTensorOptimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options => options.ToDictionary();

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        if (isDecoupled)
        {
            parameter.mul_(Kept(1 - group.LearningRate * group.WeightDecay));
        }
        else if (group.WeightDecay != 0)
        {
            gradient = gradient.add(parameter, Kept(group.WeightDecay));
        }

        var mean = state.Zeros("exp_avg", parameter);
        var square = state.Zeros("exp_avg_sq", parameter);
        mean.mul_(Kept(options.Beta1)).add_(gradient, Kept(1 - options.Beta1));
        square.mul_(Kept(options.Beta2)).addcmul_(gradient, gradient, Kept(1 - options.Beta2));

        var correction1 = 1 - Math.Pow(options.Beta1, state.Step);
        var correction2 = 1 - Math.Pow(options.Beta2, state.Step);
        var denominator = square.sqrt().div_(Kept(Math.Sqrt(correction2))).Plus_(options.Epsilon);
        parameter.addcdiv_(mean, denominator, Kept(-group.LearningRate / correction1));
    }
}

/// <summary>What the optimizers of the Adam family share.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of squared gradients.</param>
/// <param name="Epsilon">Term in the denominator.</param>
internal sealed record AdamOptions(double Beta1, double Beta2, double Epsilon)
{
    public IReadOnlyDictionary<string, object?> ToDictionary() =>
        new Dictionary<string, object?> { ["betas"] = new[] { Beta1, Beta2 }, ["eps"] = Epsilon };
}
