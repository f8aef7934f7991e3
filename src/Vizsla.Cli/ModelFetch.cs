using Vizsla.Hub;

namespace Vizsla.Cli;

/// <summary>Fetches a model that is named, not given as a folder, and is not on this machine yet; says so.</summary>
internal static class ModelFetch
{
    /// <summary>Fetches <c>owner/name</c> into the cache unless it is there, or the name is a folder or file.</summary>
    public static async Task EnsureAsync(CommandConsole console, string model, CancellationToken cancellationToken)
    {
        if (Directory.Exists(model) || File.Exists(model) || !model.Contains('/', StringComparison.Ordinal) || !RepoId.TryParse(model, RepoType.Model, out var repo))
        {
            return;
        }

        using var hub = new HubClient();
        if (hub.Options.Offline || hub.CachedFile(repo!, "config.json").Path is not null)
        {
            return;
        }

        console.Note($"Fetching model '{model}' from {hub.Options.Endpoint.GetLeftPart(UriPartial.Authority)}.");
        await TransferDisplay.RunAsync(console, "fetched", progress => PretrainedModels.FetchAsync(hub, model, progress: progress, cancellationToken: cancellationToken));
    }
}
