using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Native;
using Vizsla.Training.Arguments;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.PythonState;

/// <summary>The optimizer's state in Python's <c>optimizer.pt</c>.</summary>
/// <remarks>
/// Parameters are numbered group after group, in the order of the groups.
/// Source: <c>torch.optim.Optimizer.state_dict</c>. Parity: keys, types and pickle operations as torch 2.13 writes them.
/// </remarks>
internal static class PythonOptimizer
{
    /// <summary>The file's name in a checkpoint.</summary>
    public const string FileName = "optimizer.pt";

    /// <summary>Writes an optimizer's state.</summary>
    /// <param name="path">The file.</param>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="name">Which one it is.</param>
    /// <param name="rates">Learning rate of each group at the next step, which is what a scheduler in Python has left there.</param>
    /// <exception cref="TrainingException">Torch has no optimizer of that name.</exception>
    public static void Write(string path, Optimizer optimizer, OptimizerName name, IReadOnlyList<double> rates)
    {
        var layout = PythonOptimizerLayout.Of(name);
        var states = new OrderedDictionary<object, object?>();
        var groups = new List<object?>();
        using var scope = NewDisposeScope();
        var number = 0L;
        foreach (var (group, rate) in optimizer.Groups.Zip(rates))
        {
            var numbers = new List<object?>();
            foreach (var parameter in group.Parameters)
            {
                if (optimizer.States.TryGetValue(parameter.Name, out var state) && layout.State(state, parameter.Value) is { Count: > 0 } values)
                {
                    states.Add(number, values);
                }

                numbers.Add(number++);
            }

            groups.Add(layout.Group(group, rate, optimizer.Options, numbers));
        }

        TorchFile.Write(path, new OrderedDictionary<object, object?> { ["state"] = states, ["param_groups"] = groups });
    }

    /// <summary>Puts the state of a file into an optimizer: what is remembered of each parameter, and each group's learning rate.</summary>
    /// <param name="path">The file.</param>
    /// <param name="optimizer">The optimizer, with the groups that the run in Python had.</param>
    /// <exception cref="TrainingException">The file is damaged, or of another model or other groups.</exception>
    public static void Read(string path, Optimizer optimizer)
    {
        try
        {
            using var file = PickleCheckpoint.Open(path);
            var root = new PickleValues(path, file.Root);
            var groups = root.Map("param_groups", "state").List("param_groups");
            var states = root.Map("param_groups", "state").Child("state");
            var expected = optimizer.Groups.Select(g => g.Parameters.Count).ToArray();
            var found = groups.Select(g => g.List("params").Count).ToArray();
            if (!expected.SequenceEqual(found))
            {
                throw new TrainingException(
                    $"'{path}' holds {Count(found)}, but this run has {Count(expected)}; resume the model that the checkpoint belongs to, with the same parameters frozen.");
            }

            foreach (var (group, saved) in optimizer.Groups.Zip(groups))
            {
                group.LearningRate = saved.Number("lr");
                foreach (var (parameter, number) in group.Parameters.Zip(saved.List("params")))
                {
                    Restore(optimizer, parameter, states.Find(number.Value), file, path);
                }
            }
        }
        catch (ModelLoadException e)
        {
            throw new TrainingException($"The optimizer's state '{path}' cannot be read: {e.Message}", e);
        }
    }

    private static string Count(int[] sizes) => $"{sizes.Sum()} parameters in {sizes.Length} groups ({string.Join(", ", sizes)})";

    private static void Restore(Optimizer optimizer, NamedParameter parameter, PickleValues? saved, PickleCheckpoint file, string path)
    {
        if (saved is null)
        {
            return;
        }

        var state = new ParameterState();
        foreach (var (name, value) in saved.Items())
        {
            if (name == "step")
            {
                state.Step = value is PickleTensor counter ? (long)Scalar(file, counter) : Convert.ToInt64(value, null);
            }
            else if (value is PickleTensor tensor && name != PythonOptimizerLayout.RootMeanSquare)
            {
                CheckShape(parameter, name, tensor, path);
                state.Add(name, file.Read(tensor).to(parameter.Value.device, disposeAfter: true));
            }
        }

        optimizer.Restore(parameter.Name, state);
    }

    private static void CheckShape(NamedParameter parameter, string name, PickleTensor tensor, string path)
    {
        if (name is "exp_avg" or "exp_avg_sq" or "momentum_buffer" or "square_avg" or "grad_avg" or "sum" && !tensor.Shape.SequenceEqual(parameter.Value.shape))
        {
            throw new TrainingException(
                $"'{path}' holds '{name}' of shape [{string.Join(", ", tensor.Shape)}] for '{parameter.Name}', expected [{string.Join(", ", parameter.Value.shape)}]; resume the model that the checkpoint belongs to.");
        }
    }

    private static double Scalar(PickleCheckpoint file, PickleTensor tensor)
    {
        using var value = file.Read(tensor);
        using var number = value.to(ScalarType.Float64);
        return number.item<double>();
    }
}

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
    public OrderedDictionary<object, object?> Group(ParameterGroup group, double rate, IReadOnlyDictionary<string, object?> options, List<object?> numbers)
    {
        var values = new OrderedDictionary<object, object?> { ["weight_decay"] = group.WeightDecay, ["lr"] = rate };
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
