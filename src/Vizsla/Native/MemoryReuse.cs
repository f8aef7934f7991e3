using System.Runtime.InteropServices;
using System.Text;

namespace Vizsla.Native;

/// <summary>Has glibc keep the blocks that libtorch frees, instead of giving them back to the system and asking for new ones at the next layer.</summary>
/// <remarks>
/// A batch's activations are blocks of tens of megabytes. By default each is mapped when it is taken and unmapped when it is freed, and the system fills
/// every page with zeros: half of the time of a small network. The settings are read before a process has run a line of its own, so a program starts
/// itself once more with them, in the same process. Settings of the caller's own win.
/// </remarks>
internal static partial class MemoryReuse
{
    // One arena, since only the first one can hold blocks of any size; never map, never trim.
    private static readonly (string Name, string Value)[] _settings =
        [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "4294967296"), ("MALLOC_TRIM_THRESHOLD_", "4294967296")];

    /// <summary>Whether this process has the settings.</summary>
    public static bool IsOn => IsGlibc() && _settings.All(s => Environment.GetEnvironmentVariable(s.Name) == s.Value);

    /// <summary>Starts the program again with the settings and the same arguments, where that changes anything; does not come back then.</summary>
    /// <remarks>Call it before anything else: nothing of the process is left but its number, its files and its terminal.</remarks>
    public static void Restart()
    {
        if (!IsGlibc() || _settings.Any(s => Environment.GetEnvironmentVariable(s.Name) is not null)
            || Environment.GetEnvironmentVariable("GLIBC_TUNABLES") is not null || System.Diagnostics.Debugger.IsAttached)
        {
            return;
        }

        var arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).TrimEnd('\0').Split('\0');
        foreach (var (name, value) in _settings)
        {
            SetEnvironment(name, value, 1);
        }

        var pointers = new nint[arguments.Length + 1];
        for (var i = 0; i < arguments.Length; i++)
        {
            pointers[i] = Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }

        // Comes back only when the system refuses; the program then runs as it is.
        _ = Execute("/proc/self/exe", pointers);
        foreach (var pointer in pointers)
        {
            Marshal.FreeCoTaskMem(pointer);
        }
    }

    private static bool IsGlibc() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "gnu_get_libc_version", out _);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, nint[] arguments);
}
