using System.Runtime.CompilerServices;
using TorchSharp;

namespace Vizsla.Tests.Native;

/// <summary>Counts the tensors that the garbage collector freed, because nobody disposed them.</summary>
/// <remarks>TorchSharp counts disposals by thread, and only finalizers run on the finalizer thread: there the count is theirs.</remarks>
internal static class CollectedTensors
{
    private static long _count;

    /// <summary>How many there were so far, in all threads.</summary>
    public static long Count()
    {
        Collect();
        MakeWitness();
        Collect();
        return Volatile.Read(ref _count);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    // In a method of its own, so that no local of the caller keeps it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeWitness() => _ = new Witness();

    private sealed class Witness
    {
        ~Witness()
        {
            var statistics = DisposeScopeManager.Statistics;
            Volatile.Write(ref _count, statistics.DisposedOutsideScopeCount + statistics.DisposedInScopeCount);
        }
    }
}
