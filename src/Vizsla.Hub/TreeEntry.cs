namespace Vizsla.Hub;

/// <summary>A file or folder of a repository at a revision.</summary>
/// <param name="Path">Path in the repository, slashes between segments.</param>
/// <param name="IsFolder">True for a folder.</param>
/// <param name="Size">Bytes; 0 for a folder.</param>
/// <param name="Oid">Git's id of the blob, the LFS pointer or the tree.</param>
/// <param name="LfsOid">SHA-256 of a large file, 64 hexadecimal digits; null for a regular file or a folder.</param>
public sealed record TreeEntry(string Path, bool IsFolder, long Size, string Oid, string? LfsOid);
