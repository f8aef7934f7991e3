namespace Vizsla.Hub;

/// <summary>Branches and tags of a repository.</summary>
/// <param name="Branches">Branches, <c>main</c> among them.</param>
/// <param name="Tags">Tags.</param>
public sealed record RepoReferences(IReadOnlyList<RepoReference> Branches, IReadOnlyList<RepoReference> Tags);

/// <summary>A branch or a tag.</summary>
/// <param name="Name">Its short name.</param>
/// <param name="Commit">Where it points.</param>
public sealed record RepoReference(string Name, string Commit);
