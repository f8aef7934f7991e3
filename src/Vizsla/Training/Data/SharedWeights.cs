using TorchSharp;
using Vizsla.Distributed;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>Tensors that all processes have alike.</summary>
internal static class SharedWeights
{
    /// <summary>Replaces tensors by those of rank 0.</summary>
    /// <param name="processes">The processes.</param>
    /// <param name="tensors">Tensors on the CPU, alike in number, shape and type in each process.</param>
    public static void Broadcast(ProcessGroup processes, IEnumerable<Tensor> tensors)
    {
        if (!processes.IsShared)
        {
            return;
        }

        using var noGradient = no_grad();
        foreach (var tensor in tensors)
        {
            using var scope = NewDisposeScope();
            if (tensor.is_contiguous())
            {
                processes.Broadcast(tensor.bytes);
            }
            else
            {
                var copy = tensor.contiguous();
                processes.Broadcast(copy.bytes);
                tensor.copy_(copy);
            }
        }
    }
}
