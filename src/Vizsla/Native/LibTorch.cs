using System.Runtime.InteropServices;
using TorchSharp;

namespace Vizsla.Native;

/// <summary>The loaded libtorch: its version, and its exported functions by name.</summary>
/// <remarks>Functions with C++ names are used only with the version that they were checked against.</remarks>
internal static unsafe class LibTorch
{
    /// <summary>The version whose C++ functions were checked.</summary>
    public static readonly Version Checked = new(2, 10);

    private static readonly Lazy<IntPtr> Handle = new(Open);
    private static readonly Lazy<IntPtr> Binding = new(OpenBinding);
    private static readonly Lazy<Version?> Loaded = new(ReadVersion);

    /// <summary>Version of the loaded library; null where it has no way to tell.</summary>
    public static Version? Version => Loaded.Value;

    /// <summary>Whether functions with C++ names may be called: the version is <see cref="Checked"/> and calling conventions are known.</summary>
    public static bool IsChecked => Version is { } version && version.Major == Checked.Major && version.Minor == Checked.Minor;

    /// <summary>The library's version as it stands in the C functions: major, minor and patch in the three highest bytes.</summary>
    public static ulong AbiVersion => ((ulong)Checked.Major << 56) | ((ulong)Checked.Minor << 48);

    /// <summary>Address of an exported function; zero where the library lacks it.</summary>
    /// <param name="name">Its C name.</param>
    public static IntPtr Find(string name) =>
        Handle.Value != IntPtr.Zero && NativeLibrary.TryGetExport(Handle.Value, name, out var address) ? address : IntPtr.Zero;

    /// <summary>Address of an exported C++ function; zero where the library lacks it or has another version.</summary>
    /// <param name="itanium">The name as GCC and Clang mangle it.</param>
    /// <param name="microsoft">The name as MSVC mangles it.</param>
    public static IntPtr FindChecked(string itanium, string microsoft) =>
        IsChecked ? Find(OperatingSystem.IsWindows() ? microsoft : itanium) : IntPtr.Zero;

    /// <summary>Address of a function of TorchSharp's native half; zero where it lacks it.</summary>
    /// <param name="name">Its C name.</param>
    public static IntPtr FindBinding(string name) =>
        Binding.Value != IntPtr.Zero && NativeLibrary.TryGetExport(Binding.Value, name, out var address) ? address : IntPtr.Zero;

    private static IntPtr Open()
    {
        // TorchSharp loads the library from where it lies; afterwards its bare name finds it.
        torch.InitializeDeviceType(DeviceType.CPU);
        return Open(OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so");
    }

    private static IntPtr OpenBinding()
    {
        torch.InitializeDeviceType(DeviceType.CPU);
        return Open(OperatingSystem.IsWindows() ? "LibTorchSharp.dll" : OperatingSystem.IsMacOS() ? "libLibTorchSharp.dylib" : "libLibTorchSharp.so");
    }

    private static IntPtr Open(string name)
    {
        if (NativeLibrary.TryLoad(name, out var handle) || NativeLibrary.TryLoad(name, typeof(torch).Assembly, null, out handle))
        {
            return handle;
        }

        return NativeLibrary.TryLoad(Path.Combine(AppContext.BaseDirectory, name), out handle) ? handle : IntPtr.Zero;
    }

    private static Version? ReadVersion()
    {
        var function = (delegate* unmanaged<ulong>)Find("aoti_torch_abi_version");
        if (function is null)
        {
            return null;
        }

        var packed = function();
        return new((int)(packed >> 56), (int)(packed >> 48 & 0xff), (int)(packed >> 40 & 0xff));
    }
}
