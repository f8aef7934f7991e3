using System.Globalization;
using Vizsla.Adapters;
using Vizsla.Hub;

namespace Vizsla.Cli;

/// <summary>Fetches a model that is named, not given as a folder, unless its newest files are on this machine; says so.</summary>
internal static class ModelFetch
{
    /// <summary>What <c>--base_model</c> means in every verb that takes a model.</summary>
    public const string BaseModelHelp = "Folder or Hub name of the model that an adapter changes. Default: the one that its adapter_config.json names.";

    /// <summary>Fetches <c>owner/name</c>, or what timm names so, into the cache, unless the name is a folder or file.</summary>
    /// <exception cref="UsageException">The folder holds a training that was not finished.</exception>
    /// <exception cref="HubException">The Hub has no such model or cannot be reached, and nothing of it is cached.</exception>
    public static async Task EnsureAsync(CommandConsole console, string model, string? revision, CancellationToken cancellationToken, string? baseModel = null)
    {
        await EnsureAsync(console, model, revision, cancellationToken);
        if (AdapterFolder.Find(model, revision ?? "main") is { } folder && (baseModel ?? AdapterFolder.BaseOf(AdapterConfig.Load(folder), folder)) is { } needed)
        {
            await EnsureAsync(console, needed, baseModel is null ? AdapterConfig.Load(folder).Revision : null, cancellationToken);
        }
    }

    private static async Task EnsureAsync(CommandConsole console, string model, string? revision, CancellationToken cancellationToken)
    {
        RequireFinished(model);
        if (PretrainedModels.RepositoryOf(model) is not { } name)
        {
            return;
        }

        using var hub = new HubClient();
        var isCached = hub.CachedFile(RepoId.Model(name), "config.json", revision).Path is not null || hub.CachedFile(RepoId.Model(name), "adapter_config.json", revision).Path is not null;
        if (hub.Options.Offline && isCached)
        {
            return;
        }

        if (!isCached && !hub.Options.Offline)
        {
            console.Note($"Fetching model '{name}' from {hub.Options.Endpoint.GetLeftPart(UriPartial.Authority)}.");
        }

        try
        {
            await TransferDisplay.RunAsync(console, "fetched", progress => PretrainedModels.FetchAsync(hub, name, revision, progress, cancellationToken));
        }
        catch (HubException e) when (isCached)
        {
            console.Note($"Using '{name}' as it is in the cache. {e.Message}");
        }
        catch (HubException e) when (name != model)
        {
            throw Again(e, $"The weights of '{model}' are not on this machine, and '{name}' could not be fetched. {e.Message} Give a folder that holds them with their config.json, or put them here as {model}.safetensors.");
        }
        catch (HubException e) when (e.Kind == HubErrorKind.RepositoryNotFound)
        {
            throw Again(e, $"There is no folder '{model}' here. {e.Message}");
        }
    }

    // A training that was stopped has its weights in checkpoints alone.
    private static void RequireFinished(string model)
    {
        if (!Directory.Exists(model) || File.Exists(Path.Combine(model, "config.json")))
        {
            return;
        }

        var last = Directory.EnumerateDirectories(model, "checkpoint-*")
            .Select(folder => (Folder: folder, IsStep: int.TryParse(folder.AsSpan(folder.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var step), Step: step))
            .Where(c => c.IsStep && File.Exists(Path.Combine(c.Folder, "config.json"))).OrderBy(c => c.Step).LastOrDefault();
        if (last.Folder is { } checkpoint)
        {
            throw new UsageException(
                $"The training in '{model}' was not finished. Use its last checkpoint with --model {CommandLine.Quote([checkpoint])}, or finish it with: vizsla {CommandLine.Quote(["train", "--output", model, "--resume_from_checkpoint", "true"])}");
        }
    }

    private static HubException Again(HubException e, string message) =>
        new(e.Kind, message, e) { Repo = e.Repo, Revision = e.Revision, Status = e.Status, RequestId = e.RequestId };
}
