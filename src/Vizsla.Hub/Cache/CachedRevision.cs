namespace Vizsla.Hub.Cache;

/// <summary>A commit of a repository in the cache.</summary>
/// <param name="Commit">40 hexadecimal digits.</param>
/// <param name="References">Branches and tags that last stood for it.</param>
/// <param name="FileCount">Files.</param>
/// <param name="Size">Bytes of its files, those shared with other commits included.</param>
/// <param name="LastModified">When a file was last added.</param>
public sealed record CachedRevision(string Commit, IReadOnlyList<string> References, int FileCount, long Size, DateTimeOffset LastModified);
