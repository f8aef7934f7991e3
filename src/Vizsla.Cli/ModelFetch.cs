using Vizsla.Hub;

namespace Vizsla.Cli;

/// <summary>Fetches a model that is named, not given as a folder, unless its newest files are on this machine; says so.</summary>
internal static class ModelFetch
{
    /// <summary>Fetches <c>owner/name</c> into the cache, unless the name is a folder or file.</summary>
    /// <exception cref="HubException">The Hub has no such model or cannot be reached, and nothing of it is cached.</exception>
    public static async Task EnsureAsync(CommandConsole console, string model, string? revision, CancellationToken cancellationToken)
    {
        if (Path.Exists(model) || !model.Contains('/', StringComparison.Ordinal) || !RepoId.TryParse(model, RepoType.Model, out var repo))
        {
            return;
        }

        using var hub = new HubClient();
        var isCached = hub.CachedFile(repo!, "config.json", revision).Path is not null;
        if (hub.Options.Offline && isCached)
        {
            return;
        }

        if (!isCached)
        {
            console.Note($"Fetching model '{model}' from {hub.Options.Endpoint.GetLeftPart(UriPartial.Authority)}.");
        }

        try
        {
            await TransferDisplay.RunAsync(console, "fetched", progress => PretrainedModels.FetchAsync(hub, model, revision, progress, cancellationToken));
        }
        catch (HubException e) when (isCached)
        {
            console.Note($"Using '{model}' as it is in the cache. {e.Message}");
        }
        catch (HubException e) when (e.Kind == HubErrorKind.RepositoryNotFound)
        {
            throw new HubException(e.Kind, $"There is no folder '{model}' here. {e.Message}", e) { Repo = e.Repo, Revision = e.Revision, Status = e.Status, RequestId = e.RequestId };
        }
    }
}
