using System.Runtime.InteropServices;

namespace Vizsla.Native;

/// <summary>The terminal that this process belongs to.</summary>
internal static partial class TerminalSession
{
    /// <summary>Leaves it: neither Ctrl-C there nor its end reaches this process from then on. On Windows whoever starts a process decides that.</summary>
    public static void Leave()
    {
        if (!OperatingSystem.IsWindows())
        {
            // Fails only for the leader of a group, which a terminal's Ctrl-C is meant for.
            _ = NewSession();
        }
    }

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int NewSession();
}
