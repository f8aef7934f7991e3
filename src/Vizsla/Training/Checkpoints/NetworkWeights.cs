using Vizsla.Models;
using Vizsla.Models.Weights;
using static TorchSharp.torch;

namespace Vizsla.Training.Checkpoints;

/// <summary>Puts the weights of a checkpoint back into the network that wrote them.</summary>
internal static class NetworkWeights
{
    /// <summary>Copies every parameter and buffer from a file.</summary>
    /// <exception cref="TrainingException">The file lacks one, or has it in another shape: it is of another model.</exception>
    /// <exception cref="ModelLoadException">The file is not whole.</exception>
    public static void Load(ClassificationNetwork network, string path) => Load([.. network.State()], path);

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
