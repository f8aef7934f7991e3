using static TorchSharp.torch;

namespace Vizsla.Training.Optimizers;

/// <summary>An optimizer that moves one parameter after the other.</summary>
internal abstract class SingleTensorOptimizer(IReadOnlyList<ParameterGroup> groups) : Optimizer(groups)
{
    public override void Step()
    {
        using var noGradient = no_grad();
        foreach (var group in Groups)
        {
            foreach (var (name, parameter) in group.Parameters)
            {
                using var scope = NewDisposeScope();
                if (parameter.grad is { } gradient)
                {
                    var state = StateOf(name);
                    state.Step++;
                    Update(group, parameter, gradient, state);
                }
            }
        }
    }

    /// <summary>Moves one parameter; runs without gradient inside a dispose scope.</summary>
    /// <param name="group">Rate and decay.</param>
    /// <param name="parameter">The parameter, changed in place.</param>
    /// <param name="gradient">Its gradient, left as it is.</param>
    /// <param name="state">What is remembered; its step count has this step already.</param>
    protected abstract void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state);
}
