using Vizsla.Models;
using Vizsla.Models.Weights;
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
    /// <exception cref="TrainingException">Torch has no optimizer of that name.</exception>
    public static void Write(string path, Optimizer optimizer, OptimizerName name)
    {
        var layout = PythonOptimizerLayout.Of(name);
        var states = new OrderedDictionary<object, object?>();
        var groups = new List<object?>();
        using var scope = NewDisposeScope();
        var number = 0L;
        foreach (var group in optimizer.Groups)
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

            groups.Add(layout.Group(group, optimizer.Options, numbers));
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
