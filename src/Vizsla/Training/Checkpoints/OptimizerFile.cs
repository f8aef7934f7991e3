using Vizsla.Models.Weights;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.Checkpoints;

/// <summary>What an optimizer remembers, as safetensors: <c>{parameter}.{state}</c>, and <c>{parameter}.step</c> as int64.</summary>
internal static class OptimizerFile
{
    private const string Step = "step";

    public static void Write(string path, Optimizer optimizer)
    {
        using var scope = NewDisposeScope();
        var tensors = optimizer.States.SelectMany(s => s.Value.Tensors
            .Select(t => KeyValuePair.Create($"{s.Key}.{t.Key}", t.Value))
            .Append(KeyValuePair.Create($"{s.Key}.{Step}", tensor(s.Value.Step))));
        SafetensorsFile.Write(path, tensors);
    }

    /// <exception cref="TrainingException">The file is of another model.</exception>
    public static void Read(string path, Optimizer optimizer)
    {
        using var file = SafetensorsFile.Open(path);
        var parameters = optimizer.Groups.SelectMany(g => g.Parameters).ToDictionary(p => p.Name, p => p.Value);
        foreach (var entries in file.Tensors.GroupBy(t => t.Name[..t.Name.LastIndexOf('.')]))
        {
            if (!parameters.TryGetValue(entries.Key, out var parameter))
            {
                throw new TrainingException($"The optimizer's state '{path}' knows '{entries.Key}', which does not train in this run: it is of another model, or other parameters are frozen.");
            }

            var state = new ParameterState();
            foreach (var name in entries.Select(e => e.Name))
            {
                Add(file, name, state, parameter.device);
            }

            optimizer.Restore(entries.Key, state);
        }
    }

    private static void Add(SafetensorsFile file, string name, ParameterState state, Device device)
    {
        using var scope = NewDisposeScope();
        var part = name[(name.LastIndexOf('.') + 1)..];
        if (part == Step)
        {
            state.Step = file.Read(name).item<long>();
        }
        else
        {
            state.Add(part, file.Read(name).to(device));
        }
    }
}
