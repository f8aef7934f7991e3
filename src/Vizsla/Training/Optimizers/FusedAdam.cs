using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>AdamW on all parameters of a group in one pass over memory; the choice wherever libtorch has the operator.</summary>
/// <remarks>Source: <c>torch.optim.AdamW(fused=True)</c>. Parity: 1e-6.</remarks>
internal sealed class FusedAdam(IReadOnlyList<ParameterGroup> groups, AdamOptions options) : Optimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options => options.ToDictionary();

    public override void Step()
    {
        foreach (var group in Groups)
        {
            using var scope = NewDisposeScope();
            var moving = group.Parameters.Where(p => p.Value.grad is not null).Select(p => (Parameter: (Tensor)p.Value, State: StateOf(p.Name))).ToArray();
            foreach (var (_, state) in moving)
            {
                state.Step++;
            }

            FusedAdamW.Step(
                [.. moving.Select(m => m.Parameter)],
                [.. moving.Select(m => m.Parameter.grad!)],
                [.. moving.Select(m => m.State.Zeros("exp_avg", m.Parameter))],
                [.. moving.Select(m => m.State.Zeros("exp_avg_sq", m.Parameter))],
                [.. moving.Select(m => m.State.Step)],
                new(group.LearningRate, options.Beta1, options.Beta2, options.Epsilon, group.WeightDecay));
        }
    }

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state) =>
        FusedAdamW.Step(
            [parameter], [gradient], [state.Zeros("exp_avg", parameter)], [state.Zeros("exp_avg_sq", parameter)], [state.Step],
            new(group.LearningRate, options.Beta1, options.Beta2, options.Epsilon, group.WeightDecay));
}
