using System.Diagnostics;

namespace Vizsla.Native;

/// <summary>The native libraries that this process has loaded and that pixels and tensors need.</summary>
internal static class NativeLibraries
{
    private static readonly string[] Wanted = ["LibTorchSharp", "torch_cpu", "torch_cuda", "c10", "SkiaSharp", "vips", "gomp", "iomp"];

    /// <summary>Paths of those that are loaded, in the order of their names.</summary>
    public static IReadOnlyList<string> Loaded()
    {
        using var process = Process.GetCurrentProcess();
        return
        [
            .. process.Modules.Cast<ProcessModule>()
                .Select(module => module.FileName)
                .Where(file => Wanted.Any(name => Path.GetFileName(file).Contains(name, StringComparison.OrdinalIgnoreCase)))
                .Where(file => !file.EndsWith(".NET.dll", StringComparison.Ordinal) && Path.GetExtension(file) is not ".exe" && !IsManaged(file))
                .Distinct()
                .OrderBy(Path.GetFileName, StringComparer.Ordinal),
        ];
    }

    // Managed assemblies are mapped too: SkiaSharp.dll beside libSkiaSharp.so.
    private static bool IsManaged(string file) => !OperatingSystem.IsWindows() && Path.GetExtension(file) == ".dll";
}
