namespace Vizsla.Hub;

/// <summary>What a Hub tells of a repository at a revision.</summary>
/// <param name="Id"><c>owner/name</c> as the Hub has it.</param>
/// <param name="Commit">The revision's commit, 40 hexadecimal digits.</param>
/// <param name="IsPrivate">True when only its owner and those with a role see it.</param>
/// <param name="Files">Paths of all files, in the Hub's order.</param>
/// <param name="Tags">The Hub's tags.</param>
public sealed record RepoInfo(string Id, string Commit, bool IsPrivate, IReadOnlyList<string> Files, IReadOnlyList<string> Tags);

/// <summary>One row of a search for repositories.</summary>
/// <param name="Id"><c>owner/name</c>.</param>
/// <param name="IsPrivate">True when only its owner and those with a role see it.</param>
/// <param name="Tags">The Hub's tags.</param>
public sealed record RepoSummary(string Id, bool IsPrivate, IReadOnlyList<string> Tags);

/// <summary>Branches and tags of a repository.</summary>
/// <param name="Branches">Branches, <c>main</c> among them.</param>
/// <param name="Tags">Tags.</param>
public sealed record RepoReferences(IReadOnlyList<RepoReference> Branches, IReadOnlyList<RepoReference> Tags);

/// <summary>A branch or a tag.</summary>
/// <param name="Name">Its short name.</param>
/// <param name="Commit">Where it points.</param>
public sealed record RepoReference(string Name, string Commit);

/// <summary>A file or folder of a repository at a revision.</summary>
/// <param name="Path">Path in the repository, slashes between segments.</param>
/// <param name="IsFolder">True for a folder.</param>
/// <param name="Size">Bytes; 0 for a folder.</param>
/// <param name="Oid">Git's id of the blob, the LFS pointer or the tree.</param>
/// <param name="LfsOid">SHA-256 of a large file, 64 hexadecimal digits; null for a regular file or a folder.</param>
public sealed record TreeEntry(string Path, bool IsFolder, long Size, string Oid, string? LfsOid);

/// <summary>One commit of a repository's history.</summary>
/// <param name="Id">40 hexadecimal digits.</param>
/// <param name="Title">First line.</param>
/// <param name="Message">The rest.</param>
/// <param name="Date">When.</param>
/// <param name="Authors">Names of users.</param>
public sealed record CommitEntry(string Id, string Title, string Message, DateTimeOffset Date, IReadOnlyList<string> Authors);

/// <summary>The user a token belongs to.</summary>
/// <param name="Name">The user's name, the owner part of repositories.</param>
/// <param name="FullName">The name to show.</param>
/// <param name="Role">What the token may do: <c>read</c>, <c>write</c>, <c>fineGrained</c>; null when the Hub does not say.</param>
/// <param name="Organizations">Names of the user's organizations.</param>
public sealed record HubUser(string Name, string FullName, string? Role, IReadOnlyList<string> Organizations);
