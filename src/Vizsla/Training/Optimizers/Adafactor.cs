using Vizsla.Native;
using static TorchSharp.torch;
using static Vizsla.Native.KeptScalars;

namespace Vizsla.Training.Optimizers;

/// <summary>Adafactor at an outer learning rate: second moments of matrices are kept as a row and a column.</summary>
/// <remarks>
/// Source: transformers <c>Adafactor(scale_parameter=False, relative_step=False)</c>, with <c>scale_parameter</c> as an option. Parity: 1e-6.
/// </remarks>
internal sealed class Adafactor(IReadOnlyList<ParameterGroup> groups, AdafactorOptions options) : SingleTensorOptimizer(groups)
{
    public override IReadOnlyDictionary<string, object?> Options => new Dictionary<string, object?>
    {
        ["eps"] = new[] { options.SquareEpsilon, options.ScaleEpsilon },
        ["clip_threshold"] = options.ClipThreshold,
        ["decay_rate"] = options.DecayRate,
        ["beta1"] = options.Beta1,
        ["scale_parameter"] = options.ScaleParameter,
        ["relative_step"] = false,
        ["warmup_init"] = false,
    };

    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient, ParameterState state)
    {
        var rate = group.LearningRate * (options.ScaleParameter ? Math.Max(options.ScaleEpsilon, RootMeanSquare(parameter).item<float>()) : 1.0);
        var decay = 1.0 - Math.Pow(state.Step, options.DecayRate);
        var square = gradient.mul(gradient).Plus_(options.SquareEpsilon);
        var update = gradient.dim() >= 2 ? Factored(square, decay, state).mul_(gradient) : Whole(square, decay, state).mul_(gradient);
        update.div_(RootMeanSquare(update).div_(Kept(options.ClipThreshold)).clamp_min_(Kept(1.0))).mul_(Kept(rate));
        if (options.Beta1 is { } beta1)
        {
            var mean = state.Zeros("exp_avg", parameter);
            mean.mul_(Kept(beta1)).add_(update, Kept(1 - beta1));
            update = mean;
        }

        if (group.WeightDecay != 0)
        {
            parameter.mul_(Kept(1 - group.WeightDecay * rate));
        }

        parameter.sub_(update);
    }

    private static Tensor Whole(Tensor square, double decay, ParameterState state)
    {
        var mean = state.Zeros("exp_avg_sq", square);
        mean.mul_(Kept(decay)).add_(square, Kept(1 - decay));
        return mean.rsqrt();
    }

    /// <summary>The inverse root of the outer product of row and column means.</summary>
    private static Tensor Factored(Tensor square, double decay, ParameterState state)
    {
        var row = square.mean([-1]);
        var column = square.mean([-2]);
        var rows = state.Zeros("exp_avg_sq_row", row);
        var columns = state.Zeros("exp_avg_sq_col", column);
        rows.mul_(Kept(decay)).add_(row, Kept(1 - decay));
        columns.mul_(Kept(decay)).add_(column, Kept(1 - decay));
        var rowFactor = rows.div(rows.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1);
        return rowFactor.mul(columns.unsqueeze(-2).rsqrt());
    }

    private static Tensor RootMeanSquare(Tensor x) => x.norm().div_(Kept(Math.Sqrt(x.numel())));
}

/// <summary>Numbers of Adafactor; defaults as transformers'.</summary>
/// <param name="SquareEpsilon">Added to squared gradients.</param>
/// <param name="ScaleEpsilon">Least scale of a parameter.</param>
/// <param name="ClipThreshold">Largest root mean square of an update.</param>
/// <param name="DecayRate">Exponent of the decay of the second moment.</param>
/// <param name="Beta1">Decay of the mean of updates; null keeps none.</param>
/// <param name="ScaleParameter">Whether the rate grows with the parameter's root mean square.</param>
internal sealed record AdafactorOptions(
    double SquareEpsilon = 1e-30, double ScaleEpsilon = 1e-3, double ClipThreshold = 1.0,
    double DecayRate = -0.8, double? Beta1 = null, bool ScaleParameter = false);
