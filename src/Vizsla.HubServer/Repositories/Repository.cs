using Vizsla.Hub;

namespace Vizsla.HubServer.Repositories;

/// <summary>A repository's row.</summary>
/// <param name="Key">The database's own number.</param>
/// <param name="PublicId">24 hexadecimal digits, shown as <c>_id</c>.</param>
/// <param name="Id">Type, owner and name.</param>
/// <param name="IsPrivate">Seen only by its owner and those with a role.</param>
/// <param name="IsGated">Listed for all, its files only for its owner and those with a role.</param>
/// <param name="Created">When.</param>
internal sealed record Repository(long Key, string PublicId, RepoId Id, bool IsPrivate, bool IsGated, string Created);
