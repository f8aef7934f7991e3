using System.Diagnostics;

namespace Vizsla.Training.Metrics;

/// <summary>Duration, rates and memory of a training or an evaluation that begins when this is made.</summary>
/// <remarks>Source: <c>speed_metrics</c>, <c>TrainerMemoryTracker</c> of transformers. Parity: the same keys and rounding.</remarks>
internal sealed class SpeedMeter
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly long? _memoryBefore;

    /// <param name="withMemory">Whether memory is measured too.</param>
    public SpeedMeter(bool withMemory = false) => _memoryBefore = withMemory ? Memory().Resident : null;

    /// <summary>The metrics until now.</summary>
    /// <param name="prefix"><c>train</c>, <c>eval</c> or <c>test</c>.</param>
    /// <param name="samples">Pictures that were processed.</param>
    /// <param name="steps">Steps or batches that were done.</param>
    /// <returns>Seconds, rates, and in bytes what memory is held more than before and what was held beyond that at the peak.</returns>
    public IEnumerable<KeyValuePair<string, double>> Metrics(string prefix, double samples, double steps)
    {
        var seconds = Math.Max(_watch.Elapsed.TotalSeconds, 1e-6);
        yield return new($"{prefix}_runtime", Math.Round(seconds, 4));
        yield return new($"{prefix}_samples_per_second", Math.Round(samples / seconds, 3));
        yield return new($"{prefix}_steps_per_second", Math.Round(steps / seconds, 3));
        if (_memoryBefore is { } before)
        {
            var (resident, peak) = Memory();
            yield return new($"{prefix}_mem_cpu_alloc_delta", resident - before);
            yield return new($"{prefix}_mem_cpu_peaked_delta", Math.Max(0, peak - Math.Max(resident, before)));
        }
    }

    private static (long Resident, long Peak) Memory()
    {
        using var process = Process.GetCurrentProcess();
        return (process.WorkingSet64, process.PeakWorkingSet64);
    }
}
