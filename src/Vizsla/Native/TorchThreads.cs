using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>How many threads libtorch computes with.</summary>
internal static class TorchThreads
{
    /// <summary>Threads that one operator is spread over.</summary>
    public static int Count => get_num_threads();

    /// <summary>Sets the number of threads, for the whole process.</summary>
    /// <param name="count">
    /// 1 or more; null takes <c>OMP_NUM_THREADS</c>, else the cores that this process may use: libtorch itself counts all cores of the machine,
    /// also those that a container's quota does not grant, and then runs several times slower.
    /// </param>
    public static void Set(int? count = null)
    {
        if (count is { } given)
        {
            set_num_threads(given);
        }
        else if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is not { Length: > 0 } && Count > Environment.ProcessorCount)
        {
            set_num_threads(Environment.ProcessorCount);
        }
    }
}
