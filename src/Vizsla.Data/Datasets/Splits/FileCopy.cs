using System.Buffers;
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
