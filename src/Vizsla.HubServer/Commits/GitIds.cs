using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Vizsla.HubServer.Commits;

/// <summary>Git's ids, so that what is stored here is what Git would call it.</summary>
/// <remarks>Source: Git object format: SHA-1 of type, size, zero, content.</remarks>
[SuppressMessage("Security", "CA5350", Justification = "Git's ids are SHA-1; they name content, large files are checked by SHA-256.")]
internal static class GitIds
{
    /// <summary>Id of a file's content.</summary>
    public static string Blob(ReadOnlySpan<byte> content) => Object("blob", content);

    /// <summary>Id of an object.</summary>
    public static string Object(string type, ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes($"{type} {content.Length}\0"));
        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What Git stores in place of a large file.</summary>
    public static byte[] Pointer(string oid, long size) => Encoding.ASCII.GetBytes($"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
}
