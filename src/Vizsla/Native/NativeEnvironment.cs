using System.Runtime.InteropServices;

namespace Vizsla.Native;

/// <summary>Environment variables as native libraries see them, which read them once, when they are loaded.</summary>
/// <remarks><see cref="Environment.SetEnvironmentVariable(string, string)"/> changes a copy on Unix that no native library reads.</remarks>
internal static partial class NativeEnvironment
{
    private const string Maps = "/proc/self/maps";

    /// <summary>Whether libtorch was in the process before this library was: what it reads while it loads can no longer be set.</summary>
    /// <remarks>Known on Linux only; false elsewhere.</remarks>
    public static bool IsTooLate { get; private set; }

    /// <summary>Sets what libtorch and OpenMP read while they load; called before the first line of this library runs.</summary>
    public static void Prepare()
    {
        IsTooLate = File.Exists(Maps) && File.ReadAllText(Maps).Contains("libtorch_cpu.so", StringComparison.Ordinal);
        if (!IsTooLate)
        {
            TorchThreads.LimitSpinning();
        }
    }

    /// <summary>Sets a variable unless the user has set it: in the environment of the process, or by <see cref="Environment.SetEnvironmentVariable(string, string)"/>, which is then handed on.</summary>
    /// <param name="name">Name of the variable.</param>
    /// <param name="value">Its value where the user set none.</param>
    /// <returns>The value that native libraries see.</returns>
    public static string SetDefault(string name, string value)
    {
        var chosen = Environment.GetEnvironmentVariable(name) ?? value;
        if (OperatingSystem.IsWindows())
        {
            _ = SetOnWindows(name, chosen);
        }
        else
        {
            _ = SetOnUnix(name, chosen, 1);
        }

        return chosen;
    }

    /// <summary>The value that native libraries see; null where the variable is not set.</summary>
    /// <param name="name">Name of the variable.</param>
    public static string? Get(string name) => Marshal.PtrToStringUTF8(OperatingSystem.IsWindows() ? GetOnWindows(name) : GetOnUnix(name));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetOnUnix(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetOnUnix(string name);

    [LibraryImport("ucrtbase", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetOnWindows(string name, string value);

    [LibraryImport("ucrtbase", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetOnWindows(string name);
}
