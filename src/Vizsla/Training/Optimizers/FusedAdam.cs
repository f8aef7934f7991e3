using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>AdamW that moves all parameters of a group in one call.</summary>
/// <remarks>Source: <c>torch.optim.AdamW(fused=True)</c>. Parity: 1e-6.</remarks>
internal sealed class FusedAdam(IReadOnlyList<ParameterGroup> groups, AdamOptions options) : Optimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options => options.ToDictionary();

    public override void Step()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var group in Groups)
        {
            Step(group);
        }
    }

    private void Step(ParameterGroup group)
    {
        var (parameters, gradients, means, squares, steps) = (new List<Tensor>(), new List<Tensor>(), new List<Tensor>(), new List<Tensor>(), new List<long>());
        foreach (var (name, parameter) in group.Parameters)
        {
            if (parameter.grad is { } gradient)
            {
                var state = StateOf(name);
                parameters.Add(parameter);
                gradients.Add(gradient);
                means.Add(state.Zeros("exp_avg", parameter));
                squares.Add(state.Zeros("exp_avg_sq", parameter));
                steps.Add(++state.Step);
            }
        }

        FusedAdamW.Step(parameters, gradients, means, squares, steps, new(group.LearningRate, options.Beta1, options.Beta2, options.Epsilon, group.WeightDecay));
    }
}
