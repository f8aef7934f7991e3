namespace Vizsla.HubServer.Commits;

/// <summary>A commit's row.</summary>
/// <param name="Id">Git's id.</param>
/// <param name="Parent">The commit before; null for the first.</param>
/// <param name="Tree">Git's id of the root folder.</param>
/// <param name="Title">First line.</param>
/// <param name="Message">The rest.</param>
/// <param name="Author">A user's name.</param>
/// <param name="Date">When.</param>
internal sealed record StoredCommit(string Id, string? Parent, string Tree, string Title, string Message, string Author, string Date);
