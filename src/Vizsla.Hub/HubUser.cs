namespace Vizsla.Hub;

/// <summary>Whose token it is.</summary>
/// <param name="Name">The user's name, the owner part of repositories.</param>
/// <param name="FullName">The name to show.</param>
/// <param name="Role">What the token may do: <c>read</c>, <c>write</c>, <c>fineGrained</c>; null when the Hub does not say.</param>
/// <param name="Organizations">Names of the user's organizations.</param>
public sealed record HubUser(string Name, string FullName, string? Role, IReadOnlyList<string> Organizations);
