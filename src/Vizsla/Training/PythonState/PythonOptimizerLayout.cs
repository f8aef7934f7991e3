using Vizsla.Native;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.PythonState;

/// <summary>Which keys torch writes for an optimizer, and in which order.</summary>
internal sealed class PythonOptimizerLayout
{
    /// <summary>Adafactor's root mean square of a parameter: written, never needed.</summary>
    public const string RootMeanSquare = "RMS";

    // What torch writes for settings that have no counterpart here; they are all off.
    private static readonly Dictionary<string, object?> Constants = new()
    {
        ["amsgrad"] = false,
        ["maximize"] = false,
        ["foreach"] = null,
        ["capturable"] = false,
        ["differentiable"] = false,
        ["fused"] = null,
        ["decoupled_weight_decay"] = false,
    };

    // These defaults are whole numbers in Python; a pickle tells 0 from 0.0.
    private static readonly string[] WholeByDefault = ["momentum", "dampening", "lr_decay", "initial_accumulator_value"];

    private static readonly string[] AdamGroup =
        ["betas", "eps", "amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"];

    private readonly string[] _group;
    private readonly string[] _state;
    private readonly Dictionary<string, object?> _fixed;

    private PythonOptimizerLayout(string[] group, string[] state, params (string Key, object? Value)[] fixedValues)
    {
        _group = group;
        _state = state;
        _fixed = fixedValues.ToDictionary(v => v.Key, v => v.Value);
    }

    /// <summary>The layout of an optimizer.</summary>
    /// <exception cref="TrainingException">Torch has no optimizer of that name.</exception>
    public static PythonOptimizerLayout Of(OptimizerName name) => name switch
    {
        OptimizerName.AdamwTorch => new(AdamGroup, ["step", "exp_avg", "exp_avg_sq"], ("decoupled_weight_decay", true)),
        OptimizerName.AdamwTorchFused => new(AdamGroup, ["step", "exp_avg", "exp_avg_sq"], ("decoupled_weight_decay", true), ("fused", true)),
        OptimizerName.Adam => new(AdamGroup, ["step", "exp_avg", "exp_avg_sq"]),
        OptimizerName.Nadam => new(
            ["betas", "eps", "momentum_decay", "decoupled_weight_decay", "maximize", "foreach", "capturable", "differentiable"],
            ["step", "mu_product", "exp_avg", "exp_avg_sq"]),
        OptimizerName.Radam => new(
            ["betas", "eps", "maximize", "foreach", "capturable", "decoupled_weight_decay", "differentiable"],
            ["step", "exp_avg", "exp_avg_sq"]),
        OptimizerName.Sgd => new(
            ["momentum", "dampening", "nesterov", "maximize", "foreach", "differentiable", "fused"], ["momentum_buffer"]),
        OptimizerName.Rmsprop => new(
            ["momentum", "alpha", "eps", "centered", "capturable", "foreach", "maximize", "differentiable"],
            ["step", "square_avg", "momentum_buffer", "grad_avg"]),
        OptimizerName.Adagrad => new(
            ["lr_decay", "eps", "initial_accumulator_value", "foreach", "maximize", "differentiable", "fused"], ["step", "sum"]),
        OptimizerName.Adafactor => new(
            ["eps", "clip_threshold", "decay_rate", "beta1", "scale_parameter", "relative_step", "warmup_init"],
            ["step", "exp_avg", "exp_avg_sq_row", "exp_avg_sq_col", "exp_avg_sq", RootMeanSquare]),
        _ => throw new TrainingException(
            $"save_python_state: torch has no optimizer '{SnakeCase.Of(name)}', so its state cannot be handed over; choose another 'optim' or leave 'save_python_state' off."),
    };

    /// <summary>What is remembered of a parameter, under torch's keys.</summary>
    /// <remarks>Tensors made here belong to the caller's dispose scope.</remarks>
    public OrderedDictionary<object, object?> State(ParameterState state, Tensor parameter)
    {
        var values = new OrderedDictionary<object, object?>();
        foreach (var key in _state)
        {
            if (key == "step")
            {
                // Adafactor, of transformers, counts in Python; torch's own count in a tensor.
                values.Add(key, _state[^1] == RootMeanSquare ? state.Step : tensor((float)state.Step));
            }
            else if (key == RootMeanSquare)
            {
                values.Add(key, parameter.detach().norm().Over(Math.Sqrt(parameter.numel())));
            }
            else if (state.Tensors.TryGetValue(key, out var tensor))
            {
                values.Add(key, tensor);
            }
        }

        return values;
    }

    /// <summary>A parameter group under torch's keys.</summary>
    public OrderedDictionary<object, object?> Group(ParameterGroup group, IReadOnlyDictionary<string, object?> options, List<object?> numbers)
    {
        var values = new OrderedDictionary<object, object?> { ["weight_decay"] = group.WeightDecay, ["lr"] = group.LearningRate };
        foreach (var key in _group)
        {
            values.Add(key, Value(key, options));
        }

        values.Add("initial_lr", group.BaseLearningRate);
        values.Add("params", numbers);
        return values;
    }

    private object? Value(string key, IReadOnlyDictionary<string, object?> options) =>
        _fixed.TryGetValue(key, out var value) ? value
            : !options.TryGetValue(key, out value) ? Constants[key]
            : value switch
            {
                double[] several => several.Select(n => (object?)n).ToArray(),
                0.0 when WholeByDefault.Contains(key) => 0,
                _ => value,
            };
}
