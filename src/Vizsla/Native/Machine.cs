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
    private const string Stat = "/proc/stat";
    private const string Running = "procs_running ";
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

    /// <summary>Whether other processes keep so many cores busy that as many threads as given would have to share one; false where the system does not tell.</summary>
    /// <param name="threads">Threads that want to compute at once.</param>
    /// <remarks>Looks a few times, since a process that sleeps now and then is not always seen.</remarks>
    public static bool IsShort(int threads)
    {
        const int Looks = 5;
        if (!File.Exists(Stat))
        {
            return false;
        }

        var busy = 0;
        for (var i = 0; i < Looks; i++)
        {
            busy += IsShort(File.ReadAllText(Stat), OwnRunning(), threads) ? 1 : 0;
        }

        return busy > Looks / 2;
    }

    /// <summary>The same by the text of <c>/proc/stat</c>.</summary>
    /// <param name="stat">The text.</param>
    /// <param name="own">Threads of this process that run.</param>
    /// <param name="threads">Threads that want to compute at once.</param>
    internal static bool IsShort(string stat, int own, int threads)
    {
        var lines = stat.Split('\n');
        var cores = lines.Count(l => l.StartsWith("cpu", StringComparison.Ordinal) && l.Length > 3 && char.IsAsciiDigit(l[3]));
        return cores > 0
            && lines.FirstOrDefault(l => l.StartsWith(Running, StringComparison.Ordinal)) is { } line
            && int.TryParse(line.AsSpan(Running.Length), NumberStyles.Integer, CultureInfo.InvariantCulture, out var running)
            && running - own + threads > cores;
    }

    // The state stands behind the name, which is in brackets and may hold anything.
    private static int OwnRunning()
    {
        var count = 0;
        foreach (var task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            try
            {
                var text = File.ReadAllText(Path.Combine(task, "stat"));
                count += text.LastIndexOf(')') is >= 0 and var end && end + 2 < text.Length && text[end + 2] == 'R' ? 1 : 0;
            }
            catch (IOException)
            {
                // A thread that has ended meanwhile.
            }
        }

        return count;
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
