using System.Runtime.InteropServices;

namespace Vizsla.Primitives;

/// <summary>The memory that this process has from the system.</summary>
internal static partial class SystemMemory
{
    /// <summary>Gives back what the collector and glibc keep for later; takes some hundredths of a second, in which managed code stands still.</summary>
    public static void GiveBack()
    {
        // The one place that asks the collector: pixels of large pictures are disposed by then, but an idle process does not collect, and what it holds stays its own.
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
