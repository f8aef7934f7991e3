using System.Runtime.InteropServices;

namespace Vizsla.Native;

/// <summary>Makes names in a folder last through a power cut.</summary>
/// <remarks>A file's own flush says nothing of the folder's entry for it. .NET opens no folders, so this calls the C library; Windows keeps names without.</remarks>
internal static partial class DirectorySync
{
    private const int ReadOnly = 0;

    /// <summary>Flushes the entries of a folder to the disk.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="IOException">The system refuses.</exception>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"The folder '{folder}' cannot be opened to flush it: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        var failed = Synchronize(descriptor) != 0;
        var reason = Marshal.GetLastPInvokeErrorMessage();
        _ = Close(descriptor);
        if (failed)
        {
            throw new IOException($"The folder '{folder}' cannot be flushed: {reason}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
