using System.Runtime.InteropServices;
using Vizsla.Distributed;
using static TorchSharp.torch;

namespace Vizsla.Training.Data;

/// <summary>The numbers that decide which patches are left out: rank 0 draws them for the batch of all processes, as one process would, and each takes those of its pictures.</summary>
/// <param name="processes">The processes; rank 0 has pictures in every batch.</param>
internal sealed class SharedPatchNoise(ProcessGroup processes)
{
    private BatchPart _part;
    private float[]? _numbers;

    /// <summary>Begins a batch, whether this process has pictures in it or not.</summary>
    public void BeginBatch(BatchPart part) => (_part, _numbers) = (part, null);

    /// <summary>The numbers of this process's pictures.</summary>
    /// <param name="pictures">Its pictures.</param>
    /// <param name="patches">Patches of each.</param>
    /// <returns>Float [pictures, patches] in the caller's scope.</returns>
    public Tensor Draw(long pictures, long patches)
    {
        _numbers ??= Share((int)patches);
        var count = (int)(pictures * patches);
        return tensor(_numbers.AsSpan(_part.Start * (int)patches, count).ToArray()).view(pictures, patches);
    }

    /// <summary>Ends a batch: a process that has drawn nothing takes part in the draw of the others.</summary>
    public void EndBatch() => _numbers ??= Share(0);

    private float[] Share(int patches)
    {
        Span<int> count = [_part.Together * patches];
        processes.Broadcast(MemoryMarshal.AsBytes(count));
        var numbers = new float[count[0]];
        if (processes.IsFirst && patches > 0)
        {
            using var drawn = randn(_part.Together, patches);
            drawn.data<float>().CopyTo(numbers, 0);
        }

        processes.Broadcast(MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }
}
