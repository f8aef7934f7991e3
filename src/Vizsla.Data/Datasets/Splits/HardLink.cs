using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Vizsla.Datasets.Splits;

/// <summary>Makes a second name for a file; .NET 10 has no call of its own for it.</summary>
internal static partial class HardLink
{
    /// <exception cref="IOException">The system refuses: another disk, a file system without links, or no right to.</exception>
    public static void Create(string source, string target)
    {
        var done = OperatingSystem.IsWindows() ? CreateHardLink(target, source, 0) : Link(source, target) == 0;
        if (!done)
        {
            var reason = new Win32Exception(Marshal.GetLastPInvokeError()).Message;
            throw new IOException($"Cannot link '{target}' to '{source}': {reason}. Hard links need one disk for both; use --link symbolic, or leave --link out to copy.");
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string source, string target);

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLink(string target, string source, nint security);
}
