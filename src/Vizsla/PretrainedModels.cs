using Vizsla.Adapters;
using Vizsla.Hub;
using Vizsla.Models;

namespace Vizsla;

/// <summary>Brings a model by its Hub name onto this machine, for <see cref="ImageClassifier.FromPretrained"/> to find.</summary>
public static class PretrainedModels
{
    private static readonly string[] Always = ["config.json", "preprocessor_config.json", "processor_config.json", "adapter_config.json", "adapter_model.safetensors", Inference.Calibration.FileName];

    // In transformers' order of preference: the first that a repository has is fetched, with its parts.
    private static readonly (string Name, string Parts)[] Weights =
    [
        ("model.safetensors", "model.safetensors"),
        ("model.safetensors.index.json", "model-*.safetensors"),
        ("pytorch_model.bin", "pytorch_model.bin"),
        ("pytorch_model.bin.index.json", "pytorch_model-*.bin"),
    ];

    /// <summary>Fetches configuration, weights and preprocessing into the Hub's cache; what is there already is not fetched again.</summary>
    /// <param name="hub">The Hub to ask; where it cannot be reached, the cache answers.</param>
    /// <param name="name">Repository, <c>owner/name</c>.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="progress">Told as bytes arrive; null tells nobody.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The folder of the files; it can be given to <see cref="ImageClassifier.FromPretrained"/>, and so can the name.</returns>
    /// <exception cref="HubException">No such repository or revision, no access, or no connection and nothing cached.</exception>
    /// <exception cref="ArgumentException">The name is none of a repository.</exception>
    /// <remarks>Of an adapter its base model is fetched too. Source: the files that transformers <c>from_pretrained</c> asks for; all of one commit.</remarks>
    public static async Task<string> FetchAsync(HubClient hub, string name, string? revision = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(hub);
        var repo = RepoId.Model(name);
        var folder = await hub.SnapshotDownloadAsync(repo, revision, new SnapshotOptions { Choose = Needed, Progress = progress }, cancellationToken).ConfigureAwait(false);
        if (AdapterConfig.IsIn(folder) && AdapterConfig.Load(folder) is var config && AdapterFolder.BaseOf(config, folder) is { } needed && RepositoryOf(needed) is { } owner && owner != name)
        {
            _ = await hub.SnapshotDownloadAsync(RepoId.Model(owner), config.Revision, new SnapshotOptions { Choose = Needed, Progress = progress }, cancellationToken).ConfigureAwait(false);
        }

        return folder;
    }

    /// <summary>The repository of a model's name: a bare name of timm's, such as <c>resnet50</c>, stands for the repository of its default weights, <c>timm/resnet50.a1_in1k</c>.</summary>
    /// <param name="name"><c>owner/name</c>, a bare name of timm's, or the path of a folder or file.</param>
    /// <returns>The repository; null where the model lies on this machine as a folder or a weight file, and for a name that no repository is known of.</returns>
    public static string? RepositoryOf(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return ModelLocation.RepositoryOf(name);
    }

    private static IEnumerable<string> Needed(IReadOnlyList<string> files)
    {
        var (name, parts) = Weights.FirstOrDefault(w => files.Contains(w.Name));
        return files.Where(f => Always.Contains(f) || (name is not null && (f == name || GlobPattern.IsMatch(f, parts))));
    }
}
