using System.Diagnostics;

namespace Vizsla.Training.Steps;

/// <summary>How much memory the process took and let go between two moments.</summary>
/// <remarks>Source: <c>TrainerMemoryTracker</c> of transformers, under its names.</remarks>
internal sealed class MemoryMeter
{
    private readonly long _before = Now().Resident;

    /// <summary>Adds what is held more than before, and what was held beyond that at the highest, in bytes.</summary>
    public void AddTo(Dictionary<string, double> metrics)
    {
        var (resident, peak) = Now();
        metrics["train_mem_cpu_alloc_delta"] = resident - _before;
        metrics["train_mem_cpu_peaked_delta"] = Math.Max(0, peak - Math.Max(resident, _before));
    }

    private static (long Resident, long Peak) Now()
    {
        using var process = Process.GetCurrentProcess();
        return (process.WorkingSet64, process.PeakWorkingSet64);
    }
}
