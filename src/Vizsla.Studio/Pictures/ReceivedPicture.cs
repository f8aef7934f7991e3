namespace Vizsla.Studio.Pictures;

/// <summary>A picture that a page was given.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Id">Its name in the store; null when it was refused.</param>
/// <param name="Problem">Why it was refused.</param>
public sealed record ReceivedPicture(string Name, string? Id, string? Problem);
