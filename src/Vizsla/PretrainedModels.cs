using Vizsla.Hub;

namespace Vizsla;

/// <summary>Brings a model by its Hub name onto this machine, for <see cref="ImageClassifier.FromPretrained"/> to find.</summary>
public static class PretrainedModels
{
    private static readonly string[] Always = ["config.json", "preprocessor_config.json", "processor_config.json"];

    // In transformers' order of preference: the first that a repository has is fetched, with its parts.
    private static readonly (string Name, string Parts)[] Weights =
    [
        ("model.safetensors", "model.safetensors"),
        ("model.safetensors.index.json", "model-*.safetensors"),
        ("pytorch_model.bin", "pytorch_model.bin"),
        ("pytorch_model.bin.index.json", "pytorch_model-*.bin"),
    ];

    /// <summary>Fetches configuration, weights and preprocessing into the Hub's cache; what is there already is not fetched again.</summary>
    /// <param name="hub">The Hub to ask; offline, the cache alone answers.</param>
    /// <param name="name">Repository, <c>owner/name</c>.</param>
    /// <param name="revision">Branch, tag or commit; null means <c>main</c>.</param>
    /// <param name="progress">Told as bytes arrive; null tells nobody.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The folder of the files; it can be given to <see cref="ImageClassifier.FromPretrained"/>, and so can the name.</returns>
    /// <exception cref="HubException">No such repository or revision, no access, or no connection and nothing cached.</exception>
    /// <exception cref="ArgumentException">The name is none of a repository.</exception>
    /// <remarks>Source: the files that transformers <c>from_pretrained</c> asks for; all of one commit.</remarks>
    public static async Task<string> FetchAsync(HubClient hub, string name, string? revision = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(hub);
        var repo = RepoId.Model(name);
        var wanted = Always.Concat(Weights.Select(w => w.Name)).Concat(Weights.Select(w => w.Parts)).ToArray();
        if (!hub.Options.Offline)
        {
            var files = (await hub.RepoInfoAsync(repo, revision, cancellationToken).ConfigureAwait(false)).Files;
            var weights = Weights.FirstOrDefault(w => files.Contains(w.Name));
            wanted = weights.Name is null ? Always : [.. Always, weights.Name, weights.Parts];
        }

        return await hub.SnapshotDownloadAsync(repo, revision, new SnapshotOptions { AllowPatterns = wanted, Progress = progress }, cancellationToken).ConfigureAwait(false);
    }
}
