namespace Vizsla.HubServer.Commits;

/// <summary>A row of a tree: a file or a folder by its name.</summary>
/// <param name="Name">One segment.</param>
/// <param name="Oid">Git's id of the blob, the pointer or the tree.</param>
/// <param name="Size">Bytes of the file; 0 for a folder.</param>
/// <param name="LargeOid">SHA-256 of a large file; null for others.</param>
/// <param name="IsFolder">True for a folder.</param>
internal sealed record TreeItem(string Name, string Oid, long Size, string? LargeOid, bool IsFolder)
{
    /// <summary>A regular file.</summary>
    public static TreeItem File(string name, string oid, long size) => new(name, oid, size, null, false);

    /// <summary>A large file.</summary>
    public static TreeItem Large(string name, string oid, long size) => new(name, GitIds.Blob(GitIds.Pointer(oid, size)), size, oid, false);
}
