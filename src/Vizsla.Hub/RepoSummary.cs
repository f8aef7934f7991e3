namespace Vizsla.Hub;

/// <summary>One row of a search for repositories.</summary>
/// <param name="Id"><c>owner/name</c>.</param>
/// <param name="IsPrivate">True when only its owner and those with a role see it.</param>
/// <param name="Tags">The Hub's tags.</param>
public sealed record RepoSummary(string Id, bool IsPrivate, IReadOnlyList<string> Tags);
