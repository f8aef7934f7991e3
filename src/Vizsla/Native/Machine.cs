using System.Globalization;
using System.Runtime.InteropServices;

namespace Vizsla.Native;

/// <summary>The machine a run is on: what a model card and the doctor say of it.</summary>
/// <param name="Processor">Name of the processor; "unknown" where the system does not tell.</param>
/// <param name="CoreCount">Logical cores that this process may use.</param>
/// <param name="InstructionSets">Instruction sets that count, see <see cref="CpuFeatures.Describe"/>.</param>
/// <param name="MemoryBytes">Memory that this process may use.</param>
/// <param name="FreeMemoryBytes">Memory that it could still take.</param>
/// <param name="OperatingSystem">Name and version of the system.</param>
/// <param name="Runtime">Version of .NET.</param>
internal sealed record Machine(
    string Processor, int CoreCount, string InstructionSets, long MemoryBytes, long FreeMemoryBytes, string OperatingSystem, string Runtime)
{
    private const string CgroupLimit = "/sys/fs/cgroup/memory.max";
    private const string CgroupUse = "/sys/fs/cgroup/memory.current";

    /// <summary>Reads this machine.</summary>
    public static Machine Read()
    {
        var memory = GC.GetGCMemoryInfo();
        var free = FreeOnLinux() ?? Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
        return new(
            ProcessorName(),
            Environment.ProcessorCount,
            CpuFeatures.Describe(),
            memory.TotalAvailableMemoryBytes,
            Math.Min(free, memory.TotalAvailableMemoryBytes),
            $"{RuntimeInformation.OSDescription.Trim()} ({RuntimeInformation.RuntimeIdentifier})",
            RuntimeInformation.FrameworkDescription);
    }

    private static string ProcessorName() =>
        (Field("/proc/cpuinfo", "model name")
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? $"unknown {RuntimeInformation.ProcessArchitecture}").Trim();

    private static long? FreeOnLinux()
    {
        if (Field("/proc/meminfo", "MemAvailable") is not { } line)
        {
            return null;
        }

        var available = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture) * 1024;
        return Number(CgroupLimit) is { } limit && Number(CgroupUse) is { } used ? Math.Min(available, Math.Max(0, limit - used)) : available;
    }

    private static long? Number(string file) =>
        File.Exists(file) && long.TryParse(File.ReadAllText(file), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : null;

    // "model name	: AMD EPYC", "MemAvailable:   123 kB".
    private static string? Field(string file, string name) =>
        !File.Exists(file) ? null
            : File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
}
