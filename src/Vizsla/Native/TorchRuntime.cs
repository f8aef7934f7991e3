using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Runtime.Versioning;
using Vizsla.Hub.Cache;

namespace Vizsla.Native;

/// <summary>Makes libtorch load wherever it can, and says the real reason where it cannot.</summary>
/// <remarks>
/// TorchSharp's library asks for <c>GLIBCXX_3.4.32</c> (GCC 13) through one symbol that it never calls, so that Debian 12 and
/// Ubuntu 22.04 refuse to load it. Where the ordinary load has failed, that need is marked weak in the copy beside the
/// application; the original stays next to it as <c>libLibTorchSharp.so.original</c>.
/// </remarks>
internal static class TorchRuntime
{
    private const string Library = "LibTorchSharp";
    private const string LibraryFile = "libLibTorchSharp.so";
    private const string UncalledVersion = "GLIBCXX_3.4.32";

    // The runtime asks from as many threads at once as come to their first tensor; one of them patches, the others take what it found.
    private static readonly Lock Gate = new();

    /// <summary>Why the last attempt to patch the library failed; null when none was needed or it worked.</summary>
    public static string? Failure { get; private set; }

    /// <summary>The file that was patched or found patched in this process; null when the ordinary load worked.</summary>
    public static string? PatchedFile { get; private set; }

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries",
        Justification = "The handler and the environment must stand before the first tensor of any caller.")]
    internal static void Install()
    {
        NativeEnvironment.Prepare();
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
    }

    // Asked where the runtime itself has not found the library.
    private static IntPtr Resolve(Assembly assembly, string name)
    {
        if (name is not (Library or LibraryFile))
        {
            return IntPtr.Zero;
        }

        if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && LoadMended(assembly) is not 0 and var handle)
        {
            return handle;
        }

        var torch = OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so";
        return SearchFolders(assembly).Any(f => File.Exists(Path.Combine(f, torch))) || NativeLibrary.TryLoad(torch, out _)
            ? IntPtr.Zero
            : throw new DllNotFoundException(
                "libtorch, which Vizsla computes with, is not part of this program: add the package Vizsla.Backend.Cpu to its project (or Vizsla.Backend.Cuda on a machine with an NVIDIA GPU).");
    }

    [SupportedOSPlatform("linux")]
    private static IntPtr LoadMended(Assembly assembly)
    {
        lock (Gate)
        {
            foreach (var folder in SearchFolders(assembly))
            {
                var file = Path.Combine(folder, LibraryFile);
                if (File.Exists(file) && TryLoadMended(file, out var handle))
                {
                    return handle;
                }
            }
        }

        return IntPtr.Zero;
    }

    [SupportedOSPlatform("linux")]
    private static bool TryLoadMended(string file, out IntPtr handle)
    {
        handle = IntPtr.Zero;
        try
        {
            // libtorch lies beside it or is already loaded; loading it by path first spares the search.
            var torch = Path.Combine(Path.GetDirectoryName(file)!, "libtorch_cpu.so");
            if (File.Exists(torch))
            {
                NativeLibrary.Load(torch);
            }

            PatchedFile = Patch(file);
            handle = NativeLibrary.Load(PatchedFile);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException or BadImageFormatException or InvalidDataException)
        {
            Failure = $"'{file}' does not load: {e.Message.ReplaceLineEndings(" ").Trim()}";
            return false;
        }
    }

    /// <summary>Returns a library that loads: the given one after marking the need weak in place, or a copy in the user's cache where its folder is read-only.</summary>
    /// <remarks>Any number of threads and processes may do this at once: each writes a file of its own and renames it, so that what one of them has loaded is never written to.</remarks>
    [SupportedOSPlatform("linux")]
    internal static string Patch(string file)
    {
        var original = File.ReadAllBytes(file);
        var patched = original.ToArray();
        if (!ElfVersionNeeds.Weaken(patched, UncalledVersion))
        {
            return file;
        }

        var written = File.GetLastWriteTimeUtc(file);
        try
        {
            // Copies, not links: the package folder may share this file, which is cut off from it by the rename.
            Place(file + ".original", original, written);
            Place(file, patched, written);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var cache = Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
                "vizsla", "native", typeof(TorchSharp.torch).Assembly.GetName().Version!.ToString());
            Directory.CreateDirectory(cache);
            var copy = Path.Combine(cache, LibraryFile);
            Place(copy, patched, written);
            return copy;
        }
    }

    private static void Place(string file, byte[] bytes, DateTime written) =>
        AtomicFile.Write(file, stream => stream.Write(bytes), mode: UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.OtherRead, written: written);

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "Empty in a program of a single file, whose native libraries lie in its own folder.")]
    private static IEnumerable<string> SearchFolders(Assembly assembly)
    {
        var beside = Path.GetDirectoryName(assembly.Location);
        var roots = new[] { AppContext.BaseDirectory, beside }.Where(f => !string.IsNullOrEmpty(f)).Distinct();
        foreach (var root in roots)
        {
            yield return Path.Combine(root!, "runtimes", "linux-x64", "native");
            yield return root!;
        }

        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string listed)
        {
            foreach (var folder in listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            {
                yield return folder;
            }
        }
    }
}
