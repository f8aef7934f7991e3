namespace Vizsla.Hub;

/// <summary>One commit of a repository's history.</summary>
/// <param name="Id">40 hexadecimal digits.</param>
/// <param name="Title">First line.</param>
/// <param name="Message">The rest.</param>
/// <param name="Date">When.</param>
/// <param name="Authors">Names of users.</param>
public sealed record CommitEntry(string Id, string Title, string Message, DateTimeOffset Date, IReadOnlyList<string> Authors);
