using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>Adam that trusts its second moment only once enough gradients were seen.</summary>
/// <remarks>Source: <c>torch.optim.RAdam</c>. Parity: 1e-6.</remarks>
internal sealed class RAdam(IReadOnlyList<ParameterGroup> groups, AdamOptions options) : SingleTensorOptimizer(groups)
{
    // Length of the moving average below which its variance is not defined.
    private const double LeastLength = 5;

    public override IReadOnlyDictionary<string, object?> Options => options.ToDictionary();

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        if (group.WeightDecay != 0)
        {
            gradient = gradient.add(parameter, Kept(group.WeightDecay));
        }

        var mean = state.Zeros("exp_avg", parameter);
        var square = state.Zeros("exp_avg_sq", parameter);
        mean.mul_(Kept(options.Beta1)).add_(gradient, Kept(1 - options.Beta1));
        square.mul_(Kept(options.Beta2)).addcmul_(gradient, gradient, Kept(1 - options.Beta2));

        var power = Math.Pow(options.Beta2, state.Step);
        var corrected = mean.div(Kept(1 - Math.Pow(options.Beta1, state.Step)));
        var longest = 2 / (1 - options.Beta2) - 1;
        var length = longest - 2 * state.Step * power / (1 - power);
        if (length <= LeastLength)
        {
            parameter.add_(corrected, Kept(-group.LearningRate));
            return;
        }

        var rectification = Math.Sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
        var adaptive = square.sqrt().Plus_(options.Epsilon).reciprocal_().mul_(Kept(Math.Sqrt(1 - power)));
        parameter.add_(corrected.mul_(adaptive), Kept(-group.LearningRate * rectification));
    }
}
