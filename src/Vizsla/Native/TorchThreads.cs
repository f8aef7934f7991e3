using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>How many threads libtorch computes with, and how they wait for one another.</summary>
internal static class TorchThreads
{
    /// <summary>Name of the variable that says how often a waiting thread of libgomp looks for work before it sleeps.</summary>
    public const string SpinCount = "GOMP_SPINCOUNT";

    // Some tens of microseconds, as long as waking a thread takes; libgomp's own 300,000 are milliseconds, in which other programs could compute.
    private const string ShortSpin = "1000";

    /// <summary>Threads that one operator is spread over.</summary>
    public static int Count => get_num_threads();

    /// <summary>Has the threads of libgomp sleep soon when there is nothing to do, unless <c>GOMP_SPINCOUNT</c> or <c>OMP_WAIT_POLICY</c> is set; before libtorch loads.</summary>
    public static void LimitSpinning()
    {
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
        {
            NativeEnvironment.SetDefault(SpinCount, ShortSpin);
        }
    }

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
