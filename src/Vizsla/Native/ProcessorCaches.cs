using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Vizsla.Native;

/// <summary>Whether the processor tells of its caches; some virtual machines hide them from their guests.</summary>
internal static class ProcessorCaches
{
    private const string LinuxFolder = "/sys/devices/system/cpu/cpu0/cache";

    // CPUID leaves that list one cache for each subleaf, its kind in the lowest five bits: zero ends the list.
    private const int IntelLeaf = 4;
    private const int AmdLeaf = unchecked((int)0x8000001D);
    private const int AmdHighestLeaf = unchecked((int)0x80000000);
    private const int AmdFirstLevelLeaf = unchecked((int)0x80000005);

    // Subleaves of the first level for data, the second and the third.
    private static readonly int[] _amdLevels = [0, 2, 3];

    /// <summary>True where a level of cache is missing from what the processor tells; it costs microseconds to ask.</summary>
    public static bool AreHidden { get; } = Read();

    private static bool Read()
    {
        if (!X86Base.IsSupported)
        {
            return OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64 && !Directory.Exists(LinuxFolder);
        }

        var (highest, vendor, _, _) = X86Base.CpuId(0, 0);
        if (vendor == BitConverter.ToInt32("Auth"u8))
        {
            return (uint)X86Base.CpuId(AmdHighestLeaf, 0).Eax >= unchecked((uint)AmdLeaf)
                ? _amdLevels.Any(level => Kind(AmdLeaf, level) == 0)
                : X86Base.CpuId(AmdFirstLevelLeaf, 0).Ecx == 0;
        }

        return highest < IntelLeaf || Kind(IntelLeaf, 0) == 0;
    }

    private static int Kind(int leaf, int subleaf) => X86Base.CpuId(leaf, subleaf).Eax & 0x1f;
}
