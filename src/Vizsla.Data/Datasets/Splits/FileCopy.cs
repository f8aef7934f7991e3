using System.Buffers;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Vizsla.Datasets.Splits;

/// <summary>Brings one file to its place and hashes it on the way.</summary>
internal static class FileCopy
{
    private const int BufferSize = 128 * 1024;

    /// <summary>Copies or links a file.</summary>
    /// <returns>SHA-256 of the content, hexadecimal.</returns>
    /// <exception cref="IOException">The disk is full, or a link cannot be made there.</exception>
    public static string Transfer(string source, string target, FileTransfer transfer)
    {
        switch (transfer)
        {
            case FileTransfer.Hard:
                HardLink.Create(source, target);
                return Read(source, null);
            case FileTransfer.Symbolic:
                File.CreateSymbolicLink(target, Path.GetFullPath(source));
                return Read(source, null);
            default:
                using (var output = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
                {
                    return Read(source, output);
                }
        }
    }

    private static string Read(string source, Stream? output)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var input = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (input.Read(buffer) is > 0 and var count)
            {
                hash.AppendData(buffer, 0, count);
                output?.Write(buffer, 0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

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
            throw new IOException($"Cannot link '{target}' to '{source}': {reason}. Hard links need one disk for both; use symbolic links, or copies, which is the default.");
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
