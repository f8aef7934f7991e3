using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>How many threads libtorch computes with.</summary>
internal static class TorchThreads
{
    /// <summary>Threads that one operator is spread over.</summary>
    public static int Count => get_num_threads();

    /// <summary>Takes back the threads that this process has no core for, unless <c>OMP_NUM_THREADS</c> says how many are wanted.</summary>
    /// <remarks>libtorch counts all cores of the machine, also those that a container's quota does not grant, and then runs several times slower.</remarks>
    public static void Fit()
    {
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is not { Length: > 0 } && Count > Environment.ProcessorCount)
        {
            set_num_threads(Environment.ProcessorCount);
        }
    }
}
