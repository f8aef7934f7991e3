using System.Runtime.InteropServices;
using TorchSharp;
using Vizsla.Models;
using Vizsla.Native;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>Cuts micro-batches into more parts until they fit in memory (<c>auto_find_batch_size</c>).</summary>
/// <param name="network">The network in training.</param>
/// <param name="batchSize">Pictures of a micro-batch.</param>
internal sealed class MemoryFit(ClassificationNetwork network, int batchSize) : IDisposable
{
    // What a forward pass in training changes beside the gradients: the statistics of batch norms.
    private readonly List<(Tensor Value, Tensor Kept)> _buffers =
        [.. network.State().ExceptBy(network.named_parameters().Select(p => p.name), s => s.Name).Select(s => (s.Value, s.Value.Copy().DetachFromDisposeScope()))];

    private byte[] _generator = [];

    /// <summary>Into how many parts each micro-batch is cut.</summary>
    public int PartCount { get; private set; } = 1;

    /// <summary>Remembers what the forward passes of a step change.</summary>
    public void BeginStep()
    {
        _generator = TorchGenerator.GetState();
        Copy(_buffers.Select(b => (b.Kept, b.Value)));
    }

    /// <summary>Whether smaller parts may help.</summary>
    public static bool CanRetry(Exception e) => e is OutOfMemoryException or ExternalException && IsOutOfMemory(e);

    /// <summary>Halves the parts and undoes what the step has changed in the network so far.</summary>
    /// <param name="e">What libtorch said.</param>
    /// <param name="step">The step.</param>
    /// <exception cref="TrainingException">Not even one picture at a time fits in memory.</exception>
    public void Halve(Exception e, int step)
    {
        if (PartCount >= batchSize)
        {
            throw new TrainingException($"Not even one picture at a time fits in memory: {e.Message}", e) { Step = step };
        }

        PartCount *= 2;
        TorchGenerator.SetState(_generator);
        Copy(_buffers.Select(b => (b.Value, b.Kept)));
    }

    public void Dispose() => _buffers.ForEach(b => b.Kept.Dispose());

    private static void Copy(IEnumerable<(Tensor To, Tensor From)> pairs)
    {
        using var noGradient = no_grad();
        foreach (var (to, from) in pairs)
        {
            to.copy_(from);
        }
    }

    // libtorch says "CUDA out of memory" on a GPU and "DefaultCPUAllocator: can't allocate memory" on the CPU.
    private static bool IsOutOfMemory(Exception e) =>
        e is OutOfMemoryException || e.Message.Contains("out of memory", StringComparison.Ordinal)
        || e.Message.Contains("allocate memory", StringComparison.Ordinal) || e.Message.Contains("not enough memory", StringComparison.Ordinal);
}
