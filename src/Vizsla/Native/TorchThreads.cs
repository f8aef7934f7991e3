using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>How many threads libtorch computes with, and how they wait for one another.</summary>
internal static unsafe class TorchThreads
{
    /// <summary>Name of the variable that says how often a waiting thread of libgomp looks for work before it sleeps.</summary>
    public const string SpinCount = "GOMP_SPINCOUNT";

    // Some tens of microseconds, as long as waking a thread takes; libgomp's own 300,000 are milliseconds, in which other programs could compute.
    private const string ShortSpin = "1000";

    // Both work on the calling thread alone, unlike at::set_num_threads, which also decides for threads that come later.
    private static readonly delegate* unmanaged<int, void> SetOpenMp = (delegate* unmanaged<int, void>)LibTorch.Find("omp_set_num_threads");
    private static readonly delegate* unmanaged<int, int> SetMkl = (delegate* unmanaged<int, int>)LibTorch.Find("MKL_Set_Num_Threads_Local");

    /// <summary>Threads that one operator is spread over.</summary>
    public static int Count => get_num_threads();

    /// <summary>Whether one caller can compute with a single thread while others keep theirs.</summary>
    public static bool CanUseOne => SetOpenMp is not null && SetMkl is not null;

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

    /// <summary>Has the calling thread compute alone until the scope ends.</summary>
    /// <returns>The scope, to be disposed on the same thread.</returns>
    /// <exception cref="InvalidOperationException"><see cref="CanUseOne"/> is false.</exception>
    public static SingleThread UseOne()
    {
        if (!CanUseOne)
        {
            throw new InvalidOperationException("The loaded libtorch cannot change the threads of one caller alone.");
        }

        // Asking comes first: a thread takes the number for all when it first asks, and would take it after this.
        var scope = new SingleThread(Count);
        SetOpenMp(1);
        _ = SetMkl(1);
        return scope;
    }

    /// <summary>A scope in which one thread computes alone.</summary>
    internal readonly ref struct SingleThread(int before) : IDisposable
    {
        /// <summary>Gives the thread its helpers back.</summary>
        public void Dispose()
        {
            SetOpenMp(before);
            // Zero: as many as are set for all.
            _ = SetMkl(0);
        }
    }
}
