using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>Steps by the sign of an interpolated momentum.</summary>
/// <remarks>Source: "Symbolic Discovery of Optimization Algorithms" (2023), algorithm 2; the arguments of <c>lion_32bit</c>.</remarks>
internal sealed class Lion(IReadOnlyList<ParameterGroup> groups, AdamOptions options) : SingleTensorOptimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options => new Dictionary<string, object?> { ["betas"] = new[] { options.Beta1, options.Beta2 } };

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        var mean = state.Zeros("exp_avg", parameter);
        parameter.mul_(Kept(1 - group.LearningRate * group.WeightDecay));
        parameter.add_(mean.mul(Kept(options.Beta1)).add_(gradient, Kept(1 - options.Beta1)).sign_(), Kept(-group.LearningRate));
        mean.mul_(Kept(options.Beta2)).add_(gradient, Kept(1 - options.Beta2));
    }
}
