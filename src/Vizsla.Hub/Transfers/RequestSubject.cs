namespace Vizsla.Hub.Transfers;

/// <summary>What a request is about, for the error that it may end in.</summary>
/// <param name="Action">What failed, as the rest of "Could not ...": <c>download</c>, <c>commit to</c>.</param>
/// <param name="Repo">The repository, or null.</param>
/// <param name="Path">The file, or null.</param>
/// <param name="Revision">Branch, tag or commit, or null.</param>
internal sealed record RequestSubject(string Action, RepoId? Repo = null, string? Path = null, string? Revision = null)
{
    /// <summary><c>Could not download 'config.json' of model 'user/name' at 'main'</c>.</summary>
    public override string ToString()
    {
        var what = (Path, Repo) switch
        {
            (null, null) => "",
            (null, { } repo) => $" {repo.TypeName} '{repo.Id}'",
            ({ } path, null) => $" '{path}'",
            ({ } path, { } repo) => $" '{path}' of {repo.TypeName} '{repo.Id}'",
        };
        return $"Could not {Action}{what}{(Revision is null ? "" : $" at '{Revision}'")}";
    }
}
