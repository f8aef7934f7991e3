using System.Runtime.InteropServices;

namespace Vizsla.Primitives;

/// <summary>The memory that this process has from the system.</summary>
internal static partial class SystemMemory
{
    /// <summary>Gives back what the collector and glibc keep for later; takes some hundredths of a second, in which managed code stands still.</summary>
    public static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "malloc_trim", out _))
        {
            // Also where a program has freed blocks kept (MALLOC_TRIM_THRESHOLD_): the next ones that it needs are mapped anew.
            _ = Trim(0);
        }
    }

    // Of glibc alone.
    [LibraryImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint left);
}
