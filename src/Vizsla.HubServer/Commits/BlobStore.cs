using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Commits;

/// <summary>Contents of regular files, in the database, each stored once.</summary>
internal static class BlobStore
{
    /// <summary>Stores a content.</summary>
    /// <returns>Git's id.</returns>
    public static string Add(SqliteConnection connection, byte[] content)
    {
        var oid = GitIds.Blob(content);
        connection.Run("INSERT OR IGNORE INTO blobs (oid, content) VALUES ($oid, $content)", ("$oid", oid), ("$content", content));
        return oid;
    }

    /// <summary>Opens a content for reading; it lives as long as the connection.</summary>
    public static Stream Open(SqliteConnection connection, string oid)
    {
        var row = connection.Scalar<long>("SELECT id FROM blobs WHERE oid = $oid", ("$oid", oid));
        return new SqliteBlob(connection, "blobs", "content", row, readOnly: true);
    }

    /// <summary>A whole content, for files that are known to be small.</summary>
    public static byte[] Read(SqliteConnection connection, string oid) =>
        connection.Scalar<byte[]>("SELECT content FROM blobs WHERE oid = $oid", ("$oid", oid)) ?? throw new InvalidOperationException($"The database lacks blob {oid}.");
}

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
