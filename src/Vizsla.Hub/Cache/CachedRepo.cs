namespace Vizsla.Hub.Cache;

/// <summary>A repository in the cache.</summary>
/// <param name="Repo">Its name.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Size">Bytes on disk, each content counted once.</param>
/// <param name="Revisions">Its commits, newest first.</param>
public sealed record CachedRepo(RepoId Repo, string Folder, long Size, IReadOnlyList<CachedRevision> Revisions);
