using System.Text.Json.Nodes;
using Vizsla.Hub.Transfers;

namespace Vizsla.Hub;

public sealed partial class HubClient
{
    /// <summary>The user a token belongs to.</summary>
    /// <exception cref="HubException">There is no token, or the Hub does not know it.</exception>
    /// <remarks>Source: <c>HfApi.whoami</c>.</remarks>
    public async Task<HubUser> WhoAmIAsync(CancellationToken cancellationToken = default)
    {
        var subject = new RequestSubject("tell who is logged in");
        if (Options.Token is null)
        {
            throw new HubException(HubErrorKind.Unauthorized, "Nobody is logged in. Log in with 'vizsla login', or set HF_TOKEN.");
        }

        var json = (await _api.SendAsync(HttpMethod.Get, _api.Address("/api/whoami-v2"), null, subject, RetryPolicy.Repeatable, cancellationToken).ConfigureAwait(false))!;
        return Listing.Field(subject, () => new HubUser(
            Listing.Text(json, "name"),
            (string?)json["fullname"] ?? Listing.Text(json, "name"),
            (string?)json["auth"]?["accessToken"]?["role"],
            [.. (json["orgs"] as JsonArray ?? []).Select(o => Listing.Text(o, "name"))]));
    }

    /// <summary>The whole name of a repository that is to be written to: a name without an owner is one of the token's user.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The repository with its owner.</returns>
    /// <exception cref="HubException">The name has no owner, and there is no token, or the Hub does not know it.</exception>
    /// <remarks>Source: <c>get_full_repo_name</c>.</remarks>
    public async Task<RepoId> WithOwnerAsync(RepoId repo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return repo.Owner is not null
            ? repo
            : RepoId.Parse($"{(await WhoAmIAsync(cancellationToken).ConfigureAwait(false)).Name}/{repo.Name}", repo.Type);
    }

    /// <summary>Makes a repository.</summary>
    /// <param name="repo">Its name; without an owner it belongs to the token's user.</param>
    /// <param name="isPrivate">True hides it from others; null takes the owner's default.</param>
    /// <param name="existOk">True: an existing one is accepted.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The repository's page.</returns>
    /// <exception cref="HubException">It exists already, or the token may not make it.</exception>
    /// <remarks>Source: <c>HfApi.create_repo</c> 2.x.</remarks>
    public async Task<Uri> CreateRepoAsync(RepoId repo, bool? isPrivate = null, bool existOk = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        var subject = new RequestSubject("create", repo);
        var body = Named(repo);
        if (isPrivate is { } hidden)
        {
            body["visibility"] = hidden ? "private" : "public";
        }

        try
        {
            var json = await _api.PostAsync(_api.Address("/api/repos/create"), WithType(body, repo), subject, cancellationToken).ConfigureAwait(false);
            return Listing.Field(subject, () => new Uri(Listing.Text(json, "url")));
        }
        catch (HubException e) when (existOk && e.Kind == HubErrorKind.Conflict)
        {
            return e.Page ?? _api.Address("/" + repo);
        }
        catch (HubException e) when (existOk && e.Kind == HubErrorKind.Forbidden && repo.Owner is not null)
        {
            // Somebody else's: good enough when it is there.
            if (await RepoExistsAsync(repo, cancellationToken).ConfigureAwait(false))
            {
                return _api.Address("/" + repo);
            }

            throw;
        }
    }

    /// <summary>Removes a repository with all that is in it.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="missingOk">True: a missing one is accepted.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">It is not there, or the token may not remove it.</exception>
    /// <remarks>Source: <c>HfApi.delete_repo</c>.</remarks>
    public async Task DeleteRepoAsync(RepoId repo, bool missingOk = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        try
        {
            var body = WithType(Named(repo), repo);
            await _api.SendAsync(HttpMethod.Delete, _api.Address("/api/repos/delete"), () => HubApi.Json(body), new RequestSubject("delete", repo), RetryPolicy.Commit, cancellationToken).ConfigureAwait(false);
        }
        catch (HubException e) when (missingOk && e.Kind == HubErrorKind.RepositoryNotFound)
        {
            // Already as requested.
        }
    }

    /// <summary>Renames a repository; the old name leads to the new one.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="target">Its new name, of the same type.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">It is not there, the new name is taken, or the token may not.</exception>
    /// <remarks>Source: <c>HfApi.move_repo</c>.</remarks>
    public Task MoveRepoAsync(RepoId repo, RepoId target, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        ArgumentNullException.ThrowIfNull(target);
        var body = new JsonObject { ["fromRepo"] = repo.Id, ["toRepo"] = target.Id, ["type"] = repo.TypeName };
        return _api.SendAsync(HttpMethod.Post, _api.Address("/api/repos/move"), () => HubApi.Json(body), new RequestSubject("move", repo), RetryPolicy.Commit, cancellationToken);
    }

    /// <summary>Hides a repository from others, or shows it.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="isPrivate">True hides.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">It is not there, or the token may not.</exception>
    /// <remarks>Source: <c>HfApi.update_repo_settings</c>.</remarks>
    public Task SetVisibilityAsync(RepoId repo, bool isPrivate, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        var body = new JsonObject { ["visibility"] = isPrivate ? "private" : "public" };
        return _api.SendAsync(HttpMethod.Put, _api.Address(repo, "/settings"), () => HubApi.Json(body), new RequestSubject("change", repo), RetryPolicy.Repeatable, cancellationToken);
    }

    /// <summary>Describes a repository.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">Branch, tag or commit; null means its default.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">No such repository or revision.</exception>
    /// <remarks>Source: <c>HfApi.repo_info</c>.</remarks>
    public Task<RepoInfo> RepoInfoAsync(RepoId repo, string? revision = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return _listing.InfoAsync(repo, revision, cancellationToken);
    }

    /// <summary>Whether a repository is there for this token.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">The Hub cannot be asked.</exception>
    public Task<bool> RepoExistsAsync(RepoId repo, CancellationToken cancellationToken = default) => ExistsAsync(() => RepoInfoAsync(repo, null, cancellationToken));

    /// <summary>Whether a repository has a branch, tag or commit.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">Branch, tag or commit.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">The Hub cannot be asked.</exception>
    public Task<bool> RevisionExistsAsync(RepoId repo, string revision, CancellationToken cancellationToken = default) => ExistsAsync(() => RepoInfoAsync(repo, revision, cancellationToken));

    /// <summary>Whether a repository has a file.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="path">Path in the repository.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">The Hub cannot be asked.</exception>
    public Task<bool> FileExistsAsync(RepoId repo, string path, string? revision = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        var asked = revision ?? DefaultRevision;
        return ExistsAsync(() => FileMetadata.GetAsync(
            _http, FileDownload.Resolve(Options, repo, path, asked), new RequestSubject("look up", repo, path, asked),
            RetryPolicy.Repeatable, Options.MetadataTimeout, !Options.DisableImplicitToken, cancellationToken));
    }

    /// <summary>Lists files and folders.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="path">The folder to list; empty for the root.</param>
    /// <param name="recursive">True also lists what lies in folders.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">No such repository, revision or folder.</exception>
    /// <remarks>Source: <c>HfApi.list_repo_tree</c>.</remarks>
    public IAsyncEnumerable<TreeEntry> ListTreeAsync(RepoId repo, string? revision = null, string path = "", bool recursive = true, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return _listing.TreeAsync(repo, revision ?? DefaultRevision, path, recursive, cancellationToken);
    }

    /// <summary>Looks up some paths; those that are absent are left out.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="paths">Files or folders.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">No such repository or revision.</exception>
    /// <remarks>Source: <c>HfApi.get_paths_info</c>.</remarks>
    public Task<IReadOnlyList<TreeEntry>> PathsInfoAsync(RepoId repo, IEnumerable<string> paths, string? revision = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return _listing.PathsAsync(repo, revision ?? DefaultRevision, paths, cancellationToken);
    }

    /// <summary>Branches and tags.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">No such repository.</exception>
    /// <remarks>Source: <c>HfApi.list_repo_refs</c>.</remarks>
    public Task<RepoReferences> ListReferencesAsync(RepoId repo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return _listing.ReferencesAsync(repo, cancellationToken);
    }

    /// <summary>History, newest first.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">No such repository or revision.</exception>
    /// <remarks>Source: <c>HfApi.list_repo_commits</c>.</remarks>
    public Task<IReadOnlyList<CommitEntry>> ListCommitsAsync(RepoId repo, string? revision = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repo);
        return _listing.CommitsAsync(repo, revision ?? DefaultRevision, cancellationToken);
    }

    /// <summary>Repositories that this token may see.</summary>
    /// <param name="type">Models or datasets.</param>
    /// <param name="owner">Of this owner only; null for all.</param>
    /// <param name="search">With this in their name; null for all.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">The Hub cannot be asked.</exception>
    /// <remarks>Source: <c>HfApi.list_models</c>, <c>list_datasets</c>.</remarks>
    public Task<IReadOnlyList<RepoSummary>> ListReposAsync(RepoType type, string? owner = null, string? search = null, CancellationToken cancellationToken = default) =>
        _listing.SearchAsync(type, owner, search, cancellationToken);

    /// <summary>Makes a branch.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="branch">Its name.</param>
    /// <param name="revision">Where it starts; null means the head of <c>main</c>.</param>
    /// <param name="existOk">True: an existing one is accepted.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">It exists already, or the token may not.</exception>
    /// <remarks>Source: <c>HfApi.create_branch</c>.</remarks>
    public Task CreateBranchAsync(RepoId repo, string branch, string? revision = null, bool existOk = false, CancellationToken cancellationToken = default)
    {
        var body = new JsonObject();
        if (revision is not null)
        {
            body["startingPoint"] = revision;
        }

        return ReferenceAsync(HttpMethod.Post, repo, $"/branch/{Uri.EscapeDataString(branch)}", body, new RequestSubject("create the branch in", repo, null, branch), existOk, cancellationToken);
    }

    /// <summary>Removes a branch.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="branch">Its name.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">It is not there, or the token may not.</exception>
    public Task DeleteBranchAsync(RepoId repo, string branch, CancellationToken cancellationToken = default) =>
        ReferenceAsync(HttpMethod.Delete, repo, $"/branch/{Uri.EscapeDataString(branch)}", null, new RequestSubject("delete the branch of", repo, null, branch), false, cancellationToken);

    /// <summary>Makes a tag.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="tag">Its name.</param>
    /// <param name="revision">What it names; null means the head of <c>main</c>.</param>
    /// <param name="message">A note; null for none.</param>
    /// <param name="existOk">True: an existing one is accepted.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">It exists already, or the token may not.</exception>
    /// <remarks>Source: <c>HfApi.create_tag</c>.</remarks>
    public Task CreateTagAsync(RepoId repo, string tag, string? revision = null, string? message = null, bool existOk = false, CancellationToken cancellationToken = default)
    {
        var body = new JsonObject { ["tag"] = tag };
        if (message is not null)
        {
            body["message"] = message;
        }

        var at = revision ?? DefaultRevision;
        return ReferenceAsync(HttpMethod.Post, repo, $"/tag/{Uri.EscapeDataString(at)}", body, new RequestSubject($"create the tag '{tag}' in", repo, null, at), existOk, cancellationToken);
    }

    /// <summary>Removes a tag.</summary>
    /// <param name="repo">The repository.</param>
    /// <param name="tag">Its name.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="HubException">It is not there, or the token may not.</exception>
    public Task DeleteTagAsync(RepoId repo, string tag, CancellationToken cancellationToken = default) =>
        ReferenceAsync(HttpMethod.Delete, repo, $"/tag/{Uri.EscapeDataString(tag)}", null, new RequestSubject("delete the tag of", repo, null, tag), false, cancellationToken);

    private async Task ReferenceAsync(HttpMethod method, RepoId repo, string rest, JsonObject? body, RequestSubject subject, bool existOk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(repo);
        try
        {
            await _api.SendAsync(method, _api.Address(repo, rest), body is null ? null : () => HubApi.Json(body), subject, RetryPolicy.Commit, cancellationToken).ConfigureAwait(false);
        }
        catch (HubException e) when (existOk && e.Kind == HubErrorKind.Conflict)
        {
            // Already as requested.
        }
    }

    private static async Task<bool> ExistsAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            await ask().ConfigureAwait(false);
            return true;
        }
        catch (HubException e) when (e.Kind is HubErrorKind.RepositoryNotFound or HubErrorKind.RevisionNotFound or HubErrorKind.EntryNotFound)
        {
            return false;
        }
        catch (HubException e) when (e.Kind is HubErrorKind.GatedRepository)
        {
            return true; // there, only not for everybody
        }
    }

    private static JsonObject Named(RepoId repo) => new() { ["name"] = repo.Name, ["organization"] = repo.Owner };

    private static JsonObject WithType(JsonObject body, RepoId repo)
    {
        if (repo.Type is not RepoType.Model)
        {
            body["type"] = repo.TypeName;
        }

        return body;
    }
}
