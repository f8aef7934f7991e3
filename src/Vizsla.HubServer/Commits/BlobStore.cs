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
