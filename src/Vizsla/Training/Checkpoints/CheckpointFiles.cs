using Vizsla.Distributed;
using Vizsla.Models;
using Vizsla.Models.Weights;
using Vizsla.Training.Optimizers;
using static TorchSharp.torch;

namespace Vizsla.Training.Checkpoints;

/// <summary>Puts the weights of a checkpoint back into the network that wrote them.</summary>
internal static class NetworkWeights
{
    /// <summary>Copies named tensors from a file.</summary>
    /// <exception cref="TrainingException">The file lacks one, or has it in another shape: it is of another model.</exception>
    /// <exception cref="ModelLoadException">The file is not whole.</exception>
    public static void Load(IReadOnlyList<(string Name, Tensor Value)> tensors, string path)
    {
        using var file = SafetensorsFile.Open(path);
        foreach (var (name, value) in tensors)
        {
            if (!file.Contains(name))
            {
                throw new TrainingException($"The checkpoint '{path}' is of another model: it has no '{name}'.");
            }

            if (!file.Entry(name).Shape.SequenceEqual(value.shape))
            {
                throw new TrainingException(
                    $"The checkpoint '{path}' is of another model: '{name}' has the shape [{string.Join(", ", file.Entry(name).Shape)}], expected [{string.Join(", ", value.shape)}].");
            }
        }

        using var noGradient = no_grad();
        foreach (var (name, value) in tensors)
        {
            file.CopyTo(name, value);
        }
    }
}

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
                throw new TrainingException($"The optimizer's state '{path}' contains '{entries.Key}', which does not train in this run: it is of another model, or other parameters are frozen.");
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

/// <summary>Where libtorch's generator stood, and where it stood before the batch that was loaded ahead.</summary>
/// <param name="State">State at the checkpoint.</param>
/// <param name="BeforePending">State before the batch loaded ahead; null where there is none.</param>
internal sealed record GeneratorFile(byte[] State, byte[]? BeforePending)
{
    private const string Now = "cpu";
    private const string Pending = "before_pending";

    /// <summary>Writes the states of all processes: rank 0 under the names above, the others with their rank behind them.</summary>
    /// <param name="path">The file.</param>
    /// <param name="states">By rank.</param>
    public static void Write(string path, IReadOnlyList<GeneratorFile> states)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        for (var rank = 0; rank < states.Count; rank++)
        {
            tensors.Add(Of(Now, rank), tensor(states[rank].State, dtype: ScalarType.Byte));
            if (states[rank].BeforePending is { } pending)
            {
                tensors.Add(Of(Pending, rank), tensor(pending, dtype: ScalarType.Byte));
            }
        }

        SafetensorsFile.Write(path, tensors);
    }

    /// <summary>Reads the state of a process; null where the run that wrote the file had fewer.</summary>
    public static GeneratorFile? Read(string path, int rank)
    {
        using var file = SafetensorsFile.Open(path);
        return rank > 0 && !file.Contains(Of(Now, rank)) ? null : new(Bytes(file, Of(Now, rank)), file.Contains(Of(Pending, rank)) ? Bytes(file, Of(Pending, rank)) : null);
    }

    /// <summary>The states of all processes, by rank.</summary>
    public static IReadOnlyList<GeneratorFile> Gather(ProcessGroup processes, GeneratorFile own)
    {
        var states = processes.AllGather(own.State);
        var pending = processes.AllGather(own.BeforePending ?? []);
        return [.. states.Zip(pending, (state, before) => new GeneratorFile(state, before.Length == 0 ? null : before))];
    }

    private static string Of(string name, int rank) => rank == 0 ? name : Invariant($"{name}.{rank}");

    private static byte[] Bytes(SafetensorsFile file, string name)
    {
        using var tensor = file.Read(name);
        return tensor.data<byte>().ToArray();
    }
}
