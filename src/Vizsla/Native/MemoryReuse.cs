using System.Runtime.InteropServices;
using Vizsla.Primitives;

namespace Vizsla.Native;

/// <summary>Has glibc keep the blocks that libtorch frees, instead of giving them back to the system and asking for new ones at the next layer.</summary>
/// <remarks>
/// A batch's activations are blocks of tens of megabytes. By default each is mapped when it is taken and unmapped when it is freed, and the system fills
/// every page with zeros: half of the time of a small network. The settings are read before a process has run a line of its own, so a program starts
/// itself once more with them, in the same process. Settings of the caller's own win.
/// </remarks>
internal static unsafe partial class MemoryReuse
{
    private const string Limit = "4294967296";

    // One arena, since only the first one can hold blocks of any size; never map, never trim.
    private static readonly (string Name, string Value)[] _settings = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", Limit), ("MALLOC_TRIM_THRESHOLD_", Limit)];

    /// <summary>Whether this process has the settings.</summary>
    public static bool IsOn
    {
        get
        {
            foreach (var (name, value) in _settings)
            {
                if (Environment.GetEnvironmentVariable(name) != value)
                {
                    return false;
                }
            }

            return IsGlibc();
        }
    }

    /// <summary>Starts the program again with the settings and the same arguments, where that changes anything; does not return then.</summary>
    /// <remarks>
    /// Call it before anything else: nothing of the process is left but its number, its files and its terminal. Written with as little of .NET as can be,
    /// since each line is compiled at every start.
    /// </remarks>
    public static void Restart()
    {
        if (!IsGlibc() || IsAnySet() || System.Diagnostics.Debugger.IsAttached)
        {
            return;
        }

        // The bytes as the system has them: each argument ends with a zero, also an empty one at the end and one that is no text.
        var text = File.ReadAllBytes("/proc/self/cmdline");
        var arguments = new nint[text.AsSpan().Count((byte)0) + 1];
        fixed (byte* first = text)
        fixed (nint* list = arguments)
        {
            for (int i = 0, start = 0, end = 0; end < text.Length; end++)
            {
                if (text[end] == 0)
                {
                    arguments[i++] = (nint)(first + start);
                    start = end + 1;
                }
            }

            foreach (var (name, value) in _settings)
            {
                NativeEnvironment.SetDefault(name, value);
            }

            fixed (byte* self = "/proc/self/exe\0"u8)
            {
                // Returns only when the system refuses; the program then runs as it is.
                _ = Execute(self, list);
            }
        }
    }

    /// <summary>Has glibc take large blocks from the system one by one and give each back when it is freed, from here to the end of the process.</summary>
    /// <remarks>
    /// The opposite of <see cref="Restart"/>, for trainings that must do with little memory: gradients, which stay, settle between blocks of a layer, which come and go,
    /// and a heap that keeps both grows by half. Where another allocator is in place it changes nothing.
    /// </remarks>
    public static void GiveBackLargeBlocks()
    {
        const int MapThreshold = -3;
        const int LargeBytes = 1 << 20;
        if (IsGlibc() && SetOption(MapThreshold, LargeBytes) != 0)
        {
            SystemMemory.GiveBack();
        }
    }

    private static bool IsAnySet()
    {
        foreach (var (name, _) in _settings)
        {
            if (Environment.GetEnvironmentVariable(name) is not null)
            {
                return true;
            }
        }

        return Environment.GetEnvironmentVariable("GLIBC_TUNABLES") is not null;
    }

    private static bool IsGlibc() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "gnu_get_libc_version", out _);

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "execv")]
    private static partial int Execute(byte* path, nint* arguments);
}
