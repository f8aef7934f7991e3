using static TorchSharp.torch;

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
            gradient = gradient.add(parameter, group.WeightDecay);
        }

        var mean = state.Zeros("exp_avg", parameter);
        var square = state.Zeros("exp_avg_sq", parameter);
        mean.mul_(options.Beta1).add_(gradient, 1 - options.Beta1);
        square.mul_(options.Beta2).addcmul_(gradient, gradient, 1 - options.Beta2);

        var power = Math.Pow(options.Beta2, state.Step);
        var corrected = mean.div(1 - Math.Pow(options.Beta1, state.Step));
        var longest = 2 / (1 - options.Beta2) - 1;
        var length = longest - 2 * state.Step * power / (1 - power);
        if (length <= LeastLength)
        {
            parameter.add_(corrected, -group.LearningRate);
            return;
        }

        var rectification = Math.Sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
        var adaptive = square.sqrt().add_(options.Epsilon).reciprocal_().mul_(Math.Sqrt(1 - power));
        parameter.add_(corrected.mul_(adaptive), -group.LearningRate * rectification);
    }
}
