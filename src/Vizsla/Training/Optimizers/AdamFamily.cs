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
