namespace Vizsla.Hub;

/// <summary>What a Hub tells of a repository at a revision.</summary>
/// <param name="Id"><c>owner/name</c> as the Hub has it.</param>
/// <param name="Commit">The revision's commit, 40 hexadecimal digits.</param>
/// <param name="IsPrivate">True when only its owner and those with a role see it.</param>
/// <param name="Files">Paths of all files, in the Hub's order.</param>
/// <param name="Tags">The Hub's tags.</param>
public sealed record RepoInfo(string Id, string Commit, bool IsPrivate, IReadOnlyList<string> Files, IReadOnlyList<string> Tags);
